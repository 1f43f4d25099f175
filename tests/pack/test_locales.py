"""The pack says the same in each of its languages: the folders of ``locales/``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import ROOT

from nodes.comfyui import NODE_CLASS_MAPPINGS
from nodes.core.docs.glossary import ENGLISH, LOCALES, languages, own_words
from nodes.core.docs.node_texts import NodeTexts
from tools.generate import node_definitions

LANGUAGES = languages()
TRANSLATIONS = tuple(language for language in LANGUAGES if language != ENGLISH)
# What the host reads; nodeDefs.json is made from the glossary, which has tests of its own.
FILES = ("main", "settings", "commands")
NODES = {node: made.SPEC for node, made in NODE_CLASS_MAPPINGS.items()}

# What ComfyUI's own languages name: it is one word in both languages, or a name.
SAME_AS_ENGLISH = {"fr": {"Image", "Extensions"}}
# The same of the models' own words.
OWN_SAME_AS_ENGLISH = {"fr": {"Prompt", "Seed", "Images"}, "es": {"Prompt"}}

# The frontend compiles these texts as messages of vue-i18n, where braces, @ and | mean something.
MESSAGE_SAME_IN_ALL = {"http.status", "outcome.sentence", "failure.in_take"}
MESSAGE_SAME_AS_ENGLISH = {
    "fr": {"state.seconds", "http.code", "models.in.image"},
    "es": {"state.seconds", "test.token"},
}

CODE = re.compile(r"`[^`]*`")
MESSAGE_SYNTAX = re.compile(r"[{}@|]")
NAMES_AND_NUMBERS = re.compile(r"\d+|\b[A-Za-z]+(?:_[A-Za-z0-9]+)+|https|png|true|RunComfy|Google|Nano Banana")

Texts = dict[str, str]


def read(path: Path) -> Any:
    return read_object(path.read_text(encoding="utf-8"))


def read_object(text: str) -> Any:
    return json.loads(text, object_pairs_hook=without_repeated_keys)


def without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs), f"a key is there twice: {[key for key, _ in pairs]}"
    return dict(pairs)


def flat(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the path to it."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from flat(child, f"{at}/{key}")
    else:
        yield at, value


def texts(language: str) -> Texts:
    """Every text of a language, from all files that ComfyUI reads."""
    return {
        f"{name}{at}": text
        for name in FILES
        if (LOCALES / language / f"{name}.json").exists()
        for at, text in flat(read(LOCALES / language / f"{name}.json"))
    }


def own_texts(node: str, language: str) -> Texts:
    """The words of a node in the glossary's form; in English they are those of its published schema."""
    return dict(flat(own_words(language, node)))


def english_own_texts(node: str) -> Texts:
    texts = NodeTexts(NODES[node])
    inputs = {one.name: {"label": texts.label(one), "tooltip": texts.tooltip(one)} for one in NODES[node].inputs}
    words = {"display_name": texts.display_name, "description": texts.description, "inputs": inputs}
    return dict(flat(words))


def test_what_the_host_reads_is_what_the_nodes_say() -> None:
    for path, text in node_definitions(NODES.values()):
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m tools.generate"


def test_english_names_the_categories() -> None:
    """What follows in a category is the maker's name, which is one in all languages."""
    used = {part for node in NODE_CLASS_MAPPINGS.values() for part in node.CATEGORY.split("/")[1:2]}
    assert read(LOCALES / "en" / "main.json")["nodeCategories"] == {name: name for name in used}


def test_english_names_what_the_page_adds() -> None:
    """The setting, the command and the menu, as ``web/page/extension.js`` registers them."""
    source = (ROOT / "web" / "page" / "extension.js").read_text(encoding="utf-8")
    settings = re.findall(r'id: "([^"]+)",\s+name: "([^"]+)"', source)
    commands = re.findall(r'id: "([^"]+)", label: t\("([^"]+)"\)', source)
    assert settings and commands
    main = read(LOCALES / "en" / "main.json")
    assert read(LOCALES / "en" / "settings.json") == {key(name): {"name": text} for name, text in settings}
    assert main["settingsCategories"] == same(re.findall(r'category: \[PREFIX, "([^"]+)"', source))
    assert main["menuLabels"] == same(re.findall(r'path: \["([^"]+)"', source))
    for language in LANGUAGES:
        assert read(LOCALES / language / "commands.json") == {
            key(name): {"label": messages(language)[text]} for name, text in commands
        }


def key(name: str) -> str:
    """ComfyUI's form of an id within a locale."""
    return name.replace(".", "_")


def same(names: list[str]) -> dict[str, str]:
    assert names
    return {name: name for name in names}


def test_there_is_no_other_language_or_file() -> None:
    assert {path.name for path in LOCALES.iterdir()} == set(LANGUAGES)
    for language in LANGUAGES:
        found = {path.name for path in (LOCALES / language).iterdir()}
        own = {"nodes"} if language != ENGLISH else set()
        assert found == {*(f"{name}.json" for name in (*FILES, "nodeDefs", "glossary", "messages")), "help", *own}
    for path in LOCALES.glob("*/nodes/*"):
        assert path.stem in NODES and path.suffix == ".json"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_key_is_missing_or_stale(language: str) -> None:
    assert texts(language).keys() == texts("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_whole_and_plain(language: str) -> None:
    for key, text in texts(language).items():
        assert isinstance(text, str) and text.strip() == text and text, key
        assert not MESSAGE_SYNTAX.search(text), f"{key}: vue-i18n would not show this as it is written"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_text_is_translated(language: str) -> None:
    english = texts("en")
    same = {text for key, text in texts(language).items() if text == english[key]}
    assert same == SAME_AS_ENGLISH.get(language, set())


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_numbers_and_names_are_those_of_english(language: str) -> None:
    english = texts("en")
    for key, text in texts(language).items():
        assert names_and_numbers(text) == names_and_numbers(english[key]), key


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("node", sorted(NODES))
def test_a_nodes_own_words_say_the_same_as_the_english_ones(node: str, language: str) -> None:
    english, same = english_own_texts(node), set()
    for key, text in own_texts(node, language).items():
        assert isinstance(text, str) and text.strip() == text and text, key
        assert not MESSAGE_SYNTAX.search(text), f"{key}: vue-i18n would not show this as it is written"
        if text == english[key]:
            same.add(text)
        if not key.endswith("/label"):
            # The hints that follow a tooltip are the glossary's.
            assert not set(names_and_numbers(text)) - set(names_and_numbers(english[key])), key
    assert same <= OWN_SAME_AS_ENGLISH.get(language, set())


def names_and_numbers(text: str) -> list[str]:
    return sorted(NAMES_AND_NUMBERS.findall(text))


@pytest.mark.parametrize("language", ["zh", "zh-TW", "ko", "fr"])
def test_published_texts_stand_word_for_word(language: str) -> None:
    """The fixture holds the titles and descriptions of the provider's own pages, whose punctuation is mixed."""
    published = read(ROOT / "tests" / "published_texts.json")[language]
    nodes = read(LOCALES / language / "nodeDefs.json")
    for node_id, properties in published.items():
        for name, text in properties.items():
            shown = nodes[node_id]["inputs"][name]
            # The published title of the addresses is about images, which the sockets beside it take as well.
            assert words(shown["name"]) == words(text["title"]) or name == "image_urls"
            assert words(shown["tooltip"]).startswith(words(text["description"]))


@pytest.mark.parametrize("language", ["zh-TW", "ko", "fr"])
def test_the_edit_node_repeats_what_was_published_for_the_other_model(language: str) -> None:
    """Its own page was published in ``zh`` only."""
    published = read(ROOT / "tests" / "published_texts.json")[language]["RunComfyNanoBanana2TextToImage"]
    edit = read(LOCALES / language / "nodeDefs.json")["RunComfyNanoBananaProEdit"]["inputs"]
    for name in published.keys() & edit.keys():
        assert words(edit[name]["name"]) == words(published[name]["title"])
        assert name == "prompt" or words(edit[name]["tooltip"]).startswith(words(published[name]["description"]))


def words(text: str) -> str:
    """A text in which a sign of half the width is the same as its full one."""
    return text.translate(str.maketrans(",:;?!()", "，：；？！（）")).replace(" ", "")  # noqa: RUF001


@pytest.mark.parametrize("language", ["zh", "zh-TW"])
def test_chinese_texts_have_chinese_punctuation(language: str) -> None:
    definitions = dict(flat(read(LOCALES / language / "nodeDefs.json")))
    for key, text in {**messages(language), **definitions}.items():
        assert not re.search(r"[\u4e00-\u9fff][,;?!]|[,;?!] ?[\u4e00-\u9fff]", CODE.sub("x", text)), key


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_one_thing_has_one_name(language: str) -> None:
    """Inputs of the same name and meaning are called the same in the own words of every node."""
    names: dict[str, set[str]] = {}
    for node in NODES:
        for name, text in own_words(language, node).get("inputs", {}).items():
            if label := text.get("label"):
                names.setdefault(name, set()).add(label)
    # Published under two titles in ``zh``.
    assert {name for name, called in names.items() if len(called) > 1} == (
        {"num_images"} if language == "zh" else set()
    )


def messages(language: str) -> Texts:
    """What the page and the server say: failures, next steps, notes, and the page's own texts."""
    table: Texts = read(LOCALES / language / "messages.json")
    return table


def counted(table: Texts) -> set[str]:
    """The keys of counted texts, without the form."""
    return {name.removesuffix(".other") for name in table if name.endswith(".other")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing_or_stale(language: str) -> None:
    """The forms of a counted text are the language's own, the same for each; ``tests/web`` knows which it needs."""
    english, table = messages("en"), messages(language)
    stems = counted(english)
    forms = {name.rpartition(".")[2] for name in table if name.rpartition(".")[0] in stems}
    plain = {name for name in english if name.rpartition(".")[0] not in stems}
    assert forms <= {"zero", "one", "two", "few", "many", "other"}
    assert table.keys() == plain | {f"{stem}.{form}" for stem in stems for form in forms}


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_are_whole_and_keep_their_values(language: str) -> None:
    english = messages("en")
    for name, text in messages(language).items():
        assert text.strip() == text and text, name
        stem, _, form = name.rpartition(".")
        models = [english[name]] if name in english else []
        if stem in counted(english):
            models += [english[f"{stem}.other"]] if form != "one" else [english[f"{stem}.one"]]
        assert sorted(re.findall(r"\{\w+\}", text)) in [
            sorted(re.findall(r"\{\w+\}", model)) for model in models
        ], name
        assert names_and_numbers(text) in [names_and_numbers(model) for model in models], name


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_message_is_translated(language: str) -> None:
    english = messages("en")
    same = {name for name, text in messages(language).items() if text == english.get(name)}
    assert same == MESSAGE_SAME_AS_ENGLISH.get(language, set()) | MESSAGE_SAME_IN_ALL
