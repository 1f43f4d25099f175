"""The pack speaks eight languages, and says the same in each of them. ``locales/`` and ``web/messages/``.

``python tests/pack/test_locales.py`` writes English anew from the nodes; the other languages are written by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "locales"
MESSAGES = ROOT / "web" / "messages"
TRANSLATIONS = ("zh", "zh-TW", "ko", "fr", "ja", "es", "ru")
LANGUAGES = ("en", *TRANSLATIONS)
FILES = ("main", "nodeDefs", "settings", "commands")

# What ComfyUI's own languages name: it is one word in both languages, or a name.
SAME_AS_ENGLISH = {
    "fr": {
        *("Prompt", "Seed", "Images", "images", "Image", "Extensions"),
        *(f"Image {number}" for number in range(1, 21)),
    },
    "es": {"Prompt"},
}

# The frontend compiles these texts as messages of vue-i18n, where braces, @ and | mean something.
MESSAGE_SAME_AS_ENGLISH = {
    "fr": {"state.seconds", "jobs.images.one", "jobs.images.other", "socket.one", "socket.several"},
    "es": {"state.seconds", "test.token"},
}

# The forms of a counted text that a language has for whole numbers, as Intl.PluralRules names them.
PLURALS = dict.fromkeys(("zh", "zh-TW", "ko", "ja"), ("other",)) | {
    "en": ("one", "other"),
    "fr": ("one", "other"),
    "es": ("one", "other"),
    "ru": ("one", "few", "many", "other"),
}

MESSAGE_SYNTAX = re.compile(r"[{}@|]")
NAMES_AND_NUMBERS = re.compile(r"\d+|\b[A-Za-z]+(?:_[A-Za-z0-9]+)+|https|png|true|RunComfy|Google|Nano Banana")

Texts = dict[str, str]


def english_title(name: str, titles: dict[str, str]) -> str:
    """The schema's title, and the plain words of a name that no schema has: ``image_1`` is Image 1."""
    return titles.get(name) or name.replace("_", " ").capitalize()


def english_nodes() -> dict[str, Any]:
    """What the nodes themselves say, in the shape of ComfyUI's ``nodeDefs.json``."""
    from nodes.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    nodes: dict[str, Any] = {}
    for node_id, node in NODE_CLASS_MAPPINGS.items():
        spec = getattr(node, "SPEC", None)
        titles = {field.name: field.title for field in spec.fields} if spec else {}
        nodes[node_id] = {
            "display_name": NODE_DISPLAY_NAME_MAPPINGS[node_id],
            "description": node.DESCRIPTION,
            "inputs": {
                name: {"name": english_title(name, titles), "tooltip": options["tooltip"]}
                for group in node.INPUT_TYPES().values()
                for name, (_, options) in group.items()
            },
            "outputs": {
                str(index): {"name": name, "tooltip": tooltip}
                for index, (name, tooltip) in enumerate(zip(node.RETURN_NAMES, node.OUTPUT_TOOLTIPS, strict=True))
            },
        }
    return nodes


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


def test_english_is_what_the_nodes_say() -> None:
    assert read(LOCALES / "en" / "nodeDefs.json") == english_nodes(), "run: python tests/pack/test_locales.py"


def test_english_names_the_categories() -> None:
    from nodes.comfyui import NODE_CLASS_MAPPINGS

    used = {part for node in NODE_CLASS_MAPPINGS.values() for part in node.CATEGORY.split("/")}
    assert read(LOCALES / "en" / "main.json")["nodeCategories"] == {name: name for name in used - {"RunComfy"}}


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
    found = {str(path.relative_to(LOCALES)) for path in LOCALES.rglob("*") if path.is_file()}
    english = [path.name for path in (LOCALES / "en").iterdir()]
    assert {Path(name).stem for name in english} <= set(FILES)
    assert found == {str(Path(language, name)) for language in LANGUAGES for name in english}


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
        if key.endswith("/name") and key.startswith("nodeDefs/"):
            continue
        assert names_and_numbers(text) == names_and_numbers(english[key]), key


def names_and_numbers(text: str) -> list[str]:
    return sorted(NAMES_AND_NUMBERS.findall(text))


@pytest.mark.parametrize("language", ["zh", "zh-TW", "ko", "fr"])
def test_published_texts_stand_word_for_word(language: str) -> None:
    """The fixture holds the titles and descriptions of the provider's own pages."""
    published = read(ROOT / "tests" / "published_texts.json")[language]
    nodes = read(LOCALES / language / "nodeDefs.json")
    for node_id, properties in published.items():
        for name, text in properties.items():
            assert nodes[node_id]["inputs"][name]["name"] == text["title"]
            assert nodes[node_id]["inputs"][name]["tooltip"].startswith(text["description"])


@pytest.mark.parametrize("language", ["zh-TW", "ko", "fr"])
def test_the_edit_node_repeats_what_was_published_for_the_other_model(language: str) -> None:
    """Its own page was published in ``zh`` only."""
    published = read(ROOT / "tests" / "published_texts.json")[language]["RunComfyNanoBanana2TextToImage"]
    edit = read(LOCALES / language / "nodeDefs.json")["RunComfyNanoBananaProEdit"]["inputs"]
    for name in published.keys() & edit.keys():
        assert edit[name]["name"] == published[name]["title"]
        assert name == "prompt" or edit[name]["tooltip"].startswith(published[name]["description"])


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_one_thing_has_one_name(language: str) -> None:
    """Inputs and outputs of the same name and meaning are called the same on every node."""
    names: dict[str, set[str]] = {}
    for node in read(LOCALES / language / "nodeDefs.json").values():
        for name, text in node["inputs"].items():
            names.setdefault(name, set()).add(text["name"])
        for index, text in node["outputs"].items():
            names.setdefault(f"output {index}", set()).add(text["name"])
    # Published under two titles in ``zh``.
    assert {name for name, called in names.items() if len(called) > 1} == (
        {"num_images"} if language == "zh" else set()
    )


def messages(language: str) -> Texts:
    """The page's own texts: a module that exports one object, a text a line."""
    source = (MESSAGES / f"{language}.js").read_text(encoding="utf-8")
    table = source.partition("export default ")[2].strip().removesuffix(";")
    return read_object(re.sub(r",\s*\}", "}", table))


def counted(table: Texts) -> set[str]:
    """The keys of counted texts, without the form."""
    return {name.removesuffix(".other") for name in table if name.endswith(".other")}


def test_the_page_has_a_table_for_each_language() -> None:
    assert {path.name for path in MESSAGES.iterdir()} == {f"{language}.js" for language in LANGUAGES}
    listed = re.search(r"LOCALES = (\[[^\]]*\])", (ROOT / "web/base/messages.js").read_text(encoding="utf-8"))
    assert listed and set(json.loads(listed[1])) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing_or_stale(language: str) -> None:
    english = messages("en")
    stems = counted(english)
    plain = {name for name in english if name.rpartition(".")[0] not in stems}
    forms = {f"{stem}.{form}" for stem in stems for form in PLURALS[language]}
    assert messages(language).keys() == plain | forms


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
    assert same == MESSAGE_SAME_AS_ENGLISH.get(language, set())


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_the_page_and_the_nodes_call_an_image_the_same(language: str) -> None:
    edit = read(LOCALES / language / "nodeDefs.json")["RunComfyNanoBananaProEdit"]["inputs"]
    label = messages(language)["socket.one"].replace("{number}", "3")
    assert label.casefold() == edit["image_3"]["name"].casefold()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    (LOCALES / "en" / "nodeDefs.json").write_text(
        json.dumps(english_nodes(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
