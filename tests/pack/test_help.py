"""Every node has a help page in every language, made when it is asked for, and all of them tell the same facts."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from support import MODELS, ROOT

from nodes.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from nodes.core.docs.glossary import ENGLISH, LOCALES, languages
from nodes.core.docs.help_page import help_page
from nodes.core.schema.model import ModelSpec

LANGUAGES = languages()
TRANSLATIONS = tuple(language for language in LANGUAGES if language != ENGLISH)
# Those with words of their own, and one of each shape; of all others, the facts alone are looked at.
NODES = (
    *("RunComfyNanoBanana2TextToImage", "RunComfyNanoBananaProEdit", "RunComfyCollect"),
    "RunComfy_alibaba__happyhorse_1___1__reference_to_video",
    "RunComfy_bytedance__seedance_2___0__pro",
    "RunComfy_bytedance__seedream_5___0_pro__image_to_image",
    "RunComfy_acestep_ai__ace_step__audio_inpaint",
    "RunComfy_kling__kling_video_o3__pro__reference_to_video",
    "RunComfy_qwen__qwen_image_2___1__edit",
)

# Their pages are short: they pay for nothing.
SHORT = ("RunComfySaveOriginals", "RunComfyPrompts")

CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)|<(https?://[^>\s]+)>")
NUMBER = re.compile(r"\d+")

pages = pytest.mark.parametrize(("node", "language"), [(node, name) for node in NODES for name in LANGUAGES])
every_page = pytest.mark.parametrize(
    ("node", "language"), [(node, name) for node in (*NODES, *SHORT) for name in LANGUAGES]
)
translations = pytest.mark.parametrize(
    ("node", "language"), [(node, name) for node in NODES for name in TRANSLATIONS]
)


def page(node: str, language: str = ENGLISH) -> str:
    return help_page(NODE_CLASS_MAPPINGS[node].SPEC, language)


def locale(node: str, language: str) -> dict[str, Any]:
    return node_definitions(language)[node]


@cache
def node_definitions(language: str) -> dict[str, dict[str, Any]]:
    text = (LOCALES / language / "nodeDefs.json").read_text(encoding="utf-8")
    nodes: dict[str, dict[str, Any]] = json.loads(text)
    return nodes


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_inputs_need_of_each_other_is_told_before_a_run(language: str) -> None:
    """A refusal names the same inputs, where somebody has not read it."""
    told = [node for node in MODELS.values() if node.conditions]
    assert told
    for node in told:
        lines = [line for line in help_page(node, language).splitlines() if line.startswith("- ")]
        rows = [set(CODE.findall(line)) for line in lines if "<br>" not in line]
        for condition in node.conditions:
            inputs = {_input(node, name) for name in (*condition.any_of, *condition.of)}
            values = {
                _input(node, name) if wanted is True else f"{_input(node, name)} = {wanted}"
                for name, wanted in (*condition.when.items(), *condition.none_of.items())
            }
            limit = {str(condition.at_most)} if condition.of else set()
            assert inputs | values | limit in rows, node.node_id


def _input(node: ModelSpec, name: str) -> str:
    (field,) = [field for field in node.fields if field.name == name]
    return field.sockets[0].name if len(field.sockets) == 1 else field.inputs[-1].name


def sections(text: str) -> list[str]:
    """The parts of a page between its second-level headings, the first part before any of them."""
    return re.split(r"^## .*$", text, flags=re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """What each item of the lists is about, and what is said of it."""
    return [line[2:].split("<br>", 1) for line in text.splitlines() if line.startswith("- ") and "<br>" in line]


def shape(text: str) -> list[str]:
    """What each block of lines is: heading, table, list, quotation or paragraph, with how many lines."""
    blocks = re.split(r"\n{2,}", text.strip())
    return [f"{re.match(r'#+|[|>-]|', block)[0]} {block.count(chr(10)) + 1}" for block in blocks]  # type: ignore[index]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_language_has_every_part_and_no_other(language: str) -> None:
    def parts(name: str) -> set[str]:
        folder = LOCALES / name / "help"
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    assert parts(language) == parts(ENGLISH)


def test_a_nodes_own_parts_are_those_of_a_node() -> None:
    folders = {path.parent.name for path in (LOCALES / ENGLISH / "help").glob("*/*.md")}
    assert folders <= {*NODES, *SHORT}


@every_page
def test_every_placeholder_is_filled_in(node: str, language: str) -> None:
    assert not re.search(r"\{[a-z_]+\}", page(node, language))


@every_page
def test_no_page_has_a_table_which_the_panel_would_cut(node: str, language: str) -> None:
    assert not re.search(r"^\|", page(node, language), re.MULTILINE)
    # Nothing in it breaks within a line: what a line of the panel holds is its widest word.
    assert max(map(len, re.split(r"[\s/]|<br>|://", "".join(re.findall(r"[!-~\s]", page(node, language)))))) <= 30


@every_page
def test_no_address_is_wider_than_the_panel(node: str, language: str) -> None:
    shown = re.sub(r"\]\([^)]*\)", "]", page(node, language))
    assert not re.search(r"https?://", re.sub(CODE, "", shown))
    assert max(map(len, re.findall(r"\[(\S+)\]", shown))) <= 30


@pages
def test_errors_are_quoted_as_the_page_says_them(node: str, language: str) -> None:
    """A part of the language's own texts, without the values of a run."""
    texts = messages(language)
    assert re.sub(r"\s*[(\uff08].*", "", texts["failure.token_refused"]) in page(node, language)
    assert texts["failure.certificate_untrusted"] in page(node, language)


@pages
def test_the_title_is_the_name_of_the_node(node: str, language: str) -> None:
    assert page(node, language).startswith(f"# {locale(node, language)['display_name']}\n")


def test_english_titles_are_the_names_in_the_code() -> None:
    for node in NODES:
        assert page(node).startswith(f"# {NODE_DISPLAY_NAME_MAPPINGS[node]}\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_input_of_every_node_has_a_row_with_its_name_and_label(language: str) -> None:
    for node, made in NODE_CLASS_MAPPINGS.items():
        inputs, text = locale(node, language)["inputs"], page(node, language)
        heads = [cells[0] for cells in rows(text)]
        for field in (*made.SPEC.fields, *made.SPEC.own_fields):
            several, label = field.sockets if len(field.sockets) > 1 else (), ""
            if several:
                first, last = (several[index].name for index in (0, -1))
                label = f"{inputs[first]['name']} … {several[-1].number}"
                assert f"`{first}` … `{last}` ({label})" in heads
            for one in field.inputs[len(several) :]:
                assert f"`{one.name}` ({inputs[one.name]['name']})" in heads
                assert inputs[one.name]["tooltip"] in text
            assert field.inputs or f"`{field.name}`" in text, "left out, and said"
        assert not re.search(r"\{[a-z_]+\}", text)


@pages
def test_every_output_has_a_row_with_its_name_and_label(node: str, language: str) -> None:
    heads = [cells[0].strip() for cells in rows(page(node, language))]
    for index, name in enumerate(NODE_CLASS_MAPPINGS[node].RETURN_NAMES):
        label = locale(node, language)["outputs"][str(index)]["name"]
        assert (f"`{name}`" if label == name else f"`{name}` ({label})") in heads


@pages
def test_the_choices_and_bounds_are_those_of_the_node(node: str, language: str) -> None:
    inputs = rows(sections(page(node, language))[inputs_section(node)])
    table = {cells[0].split("`")[1]: cells[1].rpartition("<br>")[2] for cells in inputs if "`" in cells[0]}
    for group in NODE_CLASS_MAPPINGS[node].INPUT_TYPES().values():
        for name, (kind, options) in group.items():
            if isinstance(kind, list):
                assert CODE.findall(table[name]) == [*kind, options["default"]]
            elif kind == "INT":
                assert CODE.findall(table[name]) == [str(options[key]) for key in ("min", "max", "default")]
            elif kind == "BOOLEAN":
                assert CODE.findall(table[name]) == [str(options["default"]).lower()]


def inputs_section(node: str) -> int:
    return next(n for n, part in enumerate(sections(page(node))) if "\n- `" in part)


@translations
def test_a_translation_has_the_same_parts(node: str, language: str) -> None:
    assert shape(page(node, language)) == shape(page(node))
    assert len(rows(page(node, language))) == len(rows(page(node)))


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
    """The title is a name."""
    lines = (line for line in page(node).splitlines() if not line.startswith("# "))
    english = {line for line in lines if len(line.split()) > 3}
    assert not english & set(page(node, language).splitlines())


@pages
def test_no_link_is_relative(node: str, language: str) -> None:
    # The page would put the folder of all docs in front of it.
    assert all((inline or auto).startswith("https://") for inline, auto in LINK.findall(page(node, language)))


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
def test_variables_are_those_of_the_code(node: str, language: str) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "nodes").rglob("*.py"))
    for variable in re.findall(r"`(RUNCOMFY_[A-Z_]+)`", page(node, language)):
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

    edit = next(spec for spec in load_models() if spec.role("references"))
    limits = next(part for part in sections(page(edit.node_id)) if "MiB" in part)
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
