"""Every node has a help page in every language, and all of them tell the same facts. ``web/docs/``."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nodes.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "web" / "docs"
TRANSLATIONS = ("zh", "zh-TW", "ko", "fr", "ja", "es", "ru")
LANGUAGES = ("en", *TRANSLATIONS)
NODES = tuple(NODE_CLASS_MAPPINGS)

CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)|<(https?://[^>\s]+)>")
NUMBER = re.compile(r"\d+")

pages = pytest.mark.parametrize(("node", "language"), [(node, name) for node in NODES for name in LANGUAGES])
translations = pytest.mark.parametrize(
    ("node", "language"), [(node, name) for node in NODES for name in TRANSLATIONS]
)


def page(node: str, language: str = "en") -> str:
    return (DOCS / node / f"{language}.md").read_text(encoding="utf-8")


def locale(node: str, language: str) -> dict[str, Any]:
    text = (ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8")
    nodes: dict[str, dict[str, Any]] = json.loads(text)
    return nodes[node]


def sections(text: str) -> list[str]:
    """The parts of a page between its second-level headings, the first part before any of them."""
    return re.split(r"^## .*$", text, flags=re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, heads and rules included."""
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]


def shape(text: str) -> list[str]:
    """What each block of lines is: heading, table, list, quotation or paragraph, with how many lines."""
    blocks = re.split(r"\n{2,}", text.strip())
    return [f"{re.match(r'#+|[|>-]|', block)[0]} {block.count(chr(10)) + 1}" for block in blocks]  # type: ignore[index]


def test_there_is_a_page_for_each_node_and_language_and_no_other() -> None:
    found = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*") if path.is_file()}
    assert found == {f"{node}.md" for node in NODES} | {
        str(Path(node, f"{language}.md")) for node in NODES for language in LANGUAGES
    }


@pytest.mark.parametrize("node", NODES)
def test_the_fallback_is_the_english_page(node: str) -> None:
    """The page asks for ``<Node>/<locale>.md`` first, English included, and for ``<Node>.md`` after a 404."""
    assert (DOCS / f"{node}.md").read_text(encoding="utf-8") == page(node)


@pages
def test_the_title_is_the_name_of_the_node(node: str, language: str) -> None:
    assert page(node, language).startswith(f"# {locale(node, language)['display_name']}\n")


def test_english_titles_are_the_names_in_the_code() -> None:
    for node in NODES:
        assert page(node).startswith(f"# {NODE_DISPLAY_NAME_MAPPINGS[node]}\n")


@pages
def test_every_input_has_a_row_with_its_name_and_label(node: str, language: str) -> None:
    labels = locale(node, language)["inputs"]
    heads = [cells[0] for cells in rows(page(node, language))]
    for group in NODE_CLASS_MAPPINGS[node].INPUT_TYPES().values():
        for name in group:
            label = labels[name]["name"]
            if re.fullmatch(r"image_\d+", name):
                first, last = labels["image_1"]["name"], labels["image_20"]["name"].split()[-1]
                name, label = "image_1` … `image_20", f"{first} … {last}"
            assert f" `{name}` ({label}) " in heads


@pages
def test_every_output_has_a_row_with_its_name_and_label(node: str, language: str) -> None:
    heads = [cells[0].strip() for cells in rows(page(node, language))]
    for index, name in enumerate(NODE_CLASS_MAPPINGS[node].RETURN_NAMES):
        label = locale(node, language)["outputs"][str(index)]["name"]
        assert (f"`{name}`" if label == name else f"`{name}` ({label})") in heads


@pytest.mark.parametrize("node", NODES)
def test_the_choices_and_bounds_are_those_of_the_node(node: str) -> None:
    inputs = rows(page(node).partition("## Inputs")[2].partition("\n## ")[0])
    table = {cells[0].split("`")[1]: cells[1] for cells in inputs if cells[0].startswith(" `")}
    for group in NODE_CLASS_MAPPINGS[node].INPUT_TYPES().values():
        for name, (kind, options) in group.items():
            if re.fullmatch(r"image_\d+", name):
                continue
            values = table[name]
            if isinstance(kind, list):
                assert CODE.findall(values) == [*kind, options["default"]]
            elif kind == "INT":
                assert values.strip() == f"{options['min']} to {options['max']}, default {options['default']}"
            elif kind == "BOOLEAN":
                assert CODE.findall(values) == ["true", "false", str(options["default"]).lower()]
            else:
                assert kind == "STRING" and values.strip().startswith("text")


@translations
def test_a_translation_has_the_same_parts(node: str, language: str) -> None:
    assert shape(page(node, language)) == shape(page(node))
    widths = [len(cells) for cells in rows(page(node))]
    assert [len(cells) for cells in rows(page(node, language))] == widths


@translations
def test_a_translation_has_the_same_code_words_in_each_part(node: str, language: str) -> None:
    for theirs, english in zip(sections(page(node, language)), sections(page(node)), strict=True):
        assert Counter(CODE.findall(theirs)) == Counter(CODE.findall(english))


@translations
def test_a_translation_has_the_same_numbers_in_each_part(node: str, language: str) -> None:
    for theirs, english in zip(sections(page(node, language)), sections(page(node)), strict=True):
        assert Counter(NUMBER.findall(theirs)) == Counter(NUMBER.findall(english))


@translations
def test_a_translation_has_the_same_links(node: str, language: str) -> None:
    assert LINK.findall(page(node, language)) == LINK.findall(page(node))


@translations
def test_a_translation_leaves_no_english_sentence(node: str, language: str) -> None:
    english = {line for line in page(node).splitlines() if len(line.split()) > 3 and not line.startswith("|-")}
    assert not english & set(page(node, language).splitlines())


@pages
def test_no_relative_link_is_dead(node: str, language: str) -> None:
    for inline, auto in LINK.findall(page(node, language)):
        target = inline or auto
        # The page puts the folder of all docs in front of a relative address.
        assert target.startswith("https://") or (DOCS / target).is_file()


@pages
def test_bold_and_italic_text_is_shown_as_such(node: str, language: str) -> None:
    """Between a sign and a letter, asterisks stay asterisks (CommonMark 6.2); scripts without spaces meet that."""
    for line in page(node, language).splitlines():
        prose = CODE.sub("x", line).removeprefix("- ")
        for mark in ("**", "*"):
            parts = prose.replace("**", "" if mark == "*" else "**").split(mark)
            assert len(parts) % 2 == 1, line
            for place, (left, right) in enumerate(pairwise(parts)):
                outside, inside = (left[-1:], right[:1]) if place % 2 == 0 else (right[:1], left[-1:])
                assert inside.strip() and (is_letter(inside) or not is_letter(outside)), line


def is_letter(text: str) -> bool:
    return text.isalnum()


@pages
def test_quoted_messages_and_variables_are_in_the_code(node: str, language: str) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "nodes").rglob("*.py"))
    said = "\n".join(messages("en").values())
    text = page(node, language)
    quoted = [cells[0].strip().strip("`") for cells in rows(sections(text)[-1])][2:]
    assert len(quoted) > 10
    assert [message for message in quoted if message not in said] == []
    for variable in re.findall(r"`(RUNCOMFY_[A-Z_]+)`", text):
        assert f'"{variable}"' in code


@pages
def test_pages_are_of_a_size_that_is_read(node: str, language: str) -> None:
    assert 60 <= page(node, language).count("\n") <= 120


@pages
def test_no_price_is_written(node: str, language: str) -> None:
    assert not re.search(r"[$€¥]\s?\d|\d\s?(USD|[$€¥])", page(node, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_name_the_menu_entry_as_the_page_does(language: str) -> None:
    for node in NODES:
        assert f"**{messages(language)['jobs.menu']}**" in page(node, language)


def messages(language: str) -> dict[str, str]:
    table: dict[str, str] = json.loads((ROOT / "locales" / language / "messages.json").read_text(encoding="utf-8"))
    return table


def test_the_limits_are_those_of_the_code() -> None:
    from nodes.core import urls
    from nodes.core.config import settings
    from nodes.core.http import download
    from nodes.core.media import encode, pixels
    from nodes.core.schema.registry import load_models

    edit = next(spec for spec in load_models() if spec.images)
    limits = sections(page(edit.node_id))[5]
    facts = (
        f"{edit.limits.image_bytes // 2**20} MiB ({edit.limits.image_bytes} bytes)",
        f"{edit.limits.request_bytes // 2**20} MiB ({edit.limits.request_bytes} bytes)",
        f"{download.MAX_FILE_BYTES // 2**20} MiB and {pixels.MAX_PIXELS} pixels a file",
        f"PNG above {encode.WEBP_MAX_SIDE} pixels",
        f"at most {urls.MAX_LENGTH} characters",
        *(f"`{'*' * host.startswith('.')}{host}`" for host in settings.DEFAULT_HOSTS),
    )
    assert [fact for fact in facts if fact not in limits] == []
    assert f"({settings.Settings.keep_bytes // 2**20} MB if it is not set" in page(edit.node_id)
    assert f"waits up to {settings.Settings.job_deadline / 60:.0f} minutes" in limits
