"""The glossary says the same in every language, by each one's own rules, and covers every input of every node."""
# ruff: noqa: RUF001

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from nodes.comfyui import NODE_CLASS_MAPPINGS
from nodes.core.docs.glossary import ENGLISH, LOCALES, glossary, languages, own_words
from nodes.core.schema.inputs import Socket
from nodes.core.schema.model import NodeSpec

TRANSLATIONS = tuple(language for language in languages() if language != ENGLISH)
PLACEHOLDER = re.compile(r"\{[a-z]+\}")
NAMES = re.compile(r"\d+|\b[A-Za-z]+(?:_[A-Za-z0-9]+)+\b|https|JPEG|RunComfy|LoRA|CFG", re.ASCII)
MOST_LABEL_COLUMNS = 42

CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# What a language does not write, or would not say.
FORBIDDEN = {
    "en": [r"\b[Pp]ictures?\b"],
    "es": [r"se pliega", r"\bvideo\b(?!_)", r" [;:?!]"],
    "fr": [r"est joint", r"'", r"[^\u00a0][:;?!»]", r"«[^\u00a0]"],
    "ja": [r"[\u3040-\u30ff\u3400-\u9fff、。「」] +[\u3040-\u30ff\u3400-\u9fff]", r"[,;!?]", r"[（）].*[()]"],
    "ko": [r"접어", r"라운드"],
    "ru": [r"Допуск безопасности", r"раунд", r"\"", r" - "],
    "zh": [r"保留副本", r"忘记", rf"[{CJK}][,:;!?()]", rf"[,:;!?()][{CJK}]", r"\"", "[體寬圖張個時們會這來為]"],
    "zh-TW": [
        *(r"忘記", rf"[{CJK}][,:;!?()]", rf"[,:;!?()][{CJK}]", r"\"", "[体宽图张个时们会这来为频视网络质]"),
        "視頻|音頻|默認|文件|質量",
    ],
}
# One word in both languages, or a name.
SAME = {
    "fr": {"Prompt", "Seed", "Image", "Audio", "audio", "audios", "image", "images"},
    "es": {"Prompt", "audio", "Audio", "audios"},
}

Texts = dict[str, str]


def flat(value: Any, at: str = "") -> Texts:
    if not isinstance(value, dict):
        return {at: value}
    return {key: text for name, child in value.items() for key, text in flat(child, f"{at}/{name}").items()}


def texts(language: str) -> Texts:
    return flat(glossary(language))


def names_in(text: str) -> list[str]:
    return sorted(NAMES.findall(PLACEHOLDER.sub("", text)))


@pytest.mark.parametrize("language", languages())
def test_the_file_is_sorted_and_has_no_key_twice(language: str) -> None:
    raw = (LOCALES / language / "glossary.json").read_text(encoding="utf-8")
    assert raw == json.dumps(json.loads(raw), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_text_is_missing_or_stale(language: str) -> None:
    assert texts(language).keys() == texts(ENGLISH).keys()


@pytest.mark.parametrize("language", languages())
def test_texts_are_whole_and_keep_their_values(language: str) -> None:
    english = texts(ENGLISH)
    for key, text in texts(language).items():
        assert text.strip() == text and text, key
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english[key])), key
        assert not re.search(r"[{}@|]", PLACEHOLDER.sub("", text)), f"{key}: vue-i18n reads this character"
        assert not re.search(r"  | \.| ,", text), key
        if not re.fullmatch(r"/own/outputs/\w+/label", key):
            assert names_in(text) == names_in(english[key]), key


@pytest.mark.parametrize("language", languages())
def test_a_sentence_ends_and_a_label_is_short(language: str) -> None:
    for key, text in texts(language).items():
        if key.endswith("/tooltip") or "/paragraphs/" in key:
            assert text[-1] in ".。", key
        if key.endswith(("/label", "/numbered")):
            assert text[-1] not in ".。", key
            assert sum(2 if ord(letter) > 0x2E80 else 1 for letter in text) <= MOST_LABEL_COLUMNS, key


@pytest.mark.parametrize("language", languages())
def test_each_language_is_written_as_it_is(language: str) -> None:
    found = [
        (key, pattern)
        for key, text in texts(language).items()
        for pattern in FORBIDDEN.get(language, ())
        if re.search(pattern, text)
    ]
    assert found == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_text_is_translated(language: str) -> None:
    english = texts(ENGLISH)
    same = {re.sub(r"[\d\W]|number", "", text) for key, text in texts(language).items() if text == english[key]}
    assert same <= SAME.get(language, set()) | {"LoRA"}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_one_thing_has_one_name(language: str) -> None:
    english, said = texts(ENGLISH), defaultdict(set)
    for key, text in texts(language).items():
        place = "phrases" if key.startswith("/phrases") else key.rpartition("/")[2]
        said[english[key], place].add(text)
    assert {source: found for source, found in said.items() if len(found) > 1} == {}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("node", sorted(NODE_CLASS_MAPPINGS))
def test_every_input_of_every_node_has_words(node: str, language: str) -> None:
    spec: NodeSpec = NODE_CLASS_MAPPINGS[node].SPEC
    words = glossary(language)
    own = own_words(language, node).get("inputs", {}).keys()
    published = {field.name for field in spec.fields if field.title} if language == ENGLISH else set()
    known = words["inputs"].keys() | words["own"]["inputs"].keys() | own | published
    for one in spec.inputs:
        assert one.stem in words["sockets"] if isinstance(one, Socket) else one.name in known, one.name
    assert own <= {one.name for one in spec.inputs}, "words of an input that is not there"
    assert {one.name for one in spec.output.returned} <= words["own"]["outputs"].keys()
