"""The labels and tooltips of one node in one language: its own words, else the glossary's, else plain ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..schema.inputs import Phrase, Socket, Widget
from ..schema.kind import Field
from ..schema.model import NodeSpec
from .glossary import ENGLISH, Texts, glossary, joined, own_words, sentence


class NodeTexts:
    """What a node says of itself. In English a model's own words are those of its published schema."""

    def __init__(self, node: NodeSpec, language: str = ENGLISH) -> None:
        self.node = node
        self.language = language
        self._words = glossary(language)

    @property
    def display_name(self) -> str:
        """The name of the node; most models have one in all languages."""
        return str(self._own.get("display_name", self.node.display_name))

    @property
    def description(self) -> str:
        """What the node is for; of a model without own words in this language, the least that is true of it."""
        if self.language == ENGLISH:
            return self.node.description
        told = self._own.get("description")
        return told or joined(f"{self.display_name}.", sentence(self.language, Phrase("each_run_one_job")))

    def label(self, one: Widget | Socket) -> str:
        """Return what an input is called."""
        if isinstance(one, Socket):
            words = self._words["sockets"].get(one.stem, {})
            if one.number is None:
                return str(words.get("label", plain(one.name)))
            return str(words.get("numbered", plain(one.name))).format(number=one.number)
        known = str(self._glossary(one).get("label") or plain(one.name))
        if self._fields[one.name].sockets:
            # The model's own words are about what is connected, not about addresses.
            return sentence(self.language, Phrase("optional_label", {"label": known}))
        return self._own_text(one, "label") or known

    def tooltip(self, one: Widget | Socket) -> str:
        """Return what an input is for."""
        hints = [sentence(self.language, phrase) for phrase in one.hints]
        if isinstance(one, Socket):
            told = "" if hints else self._words["sockets"].get(one.stem, {}).get("tooltip")
        else:
            told = self._own_text(one, "tooltip") or self._glossary(one).get("tooltip")
        return joined(told or "", *hints) or f"{self.label(one)}."

    def facts(self, one: Widget | Socket, show: Callable[[object], str] = str) -> list[str]:
        """Return what may stand in an input, sentence by sentence; ``show`` writes each value."""
        return [sentence(self.language, phrase, show) for phrase in one.facts]

    def output(self, name: str) -> Texts:
        """Return the ``label`` and the ``tooltip`` of an output."""
        found: Texts = self._words["own"]["outputs"][name]
        return found

    def node_definition(self) -> dict[str, Any]:
        """Return all of it in the form of the host's ``nodeDefs.json``."""
        outputs = [self.output(one.name) for one in self.node.output.returned]
        return {
            "display_name": self.display_name,
            "description": self.description,
            "inputs": {
                one.name: {"name": self.label(one), "tooltip": self.tooltip(one)} for one in self.node.inputs
            },
            "outputs": {
                str(index): {"name": texts["label"], "tooltip": texts["tooltip"]}
                for index, texts in enumerate(outputs)
            },
        }

    @cached_property
    def _own(self) -> Texts:
        return own_words(self.language, self.node.node_id)

    @cached_property
    def _fields(self) -> dict[str, Field]:
        fields = (*self.node.fields, *self.node.own_fields)
        return {one.name: field for field in fields for one in field.inputs}

    def _glossary(self, one: Widget) -> Texts:
        found: Texts = self._words["own"]["inputs"].get(one.name) or self._words["inputs"].get(one.name, {})
        return found

    def _own_text(self, one: Widget, key: str) -> str:
        told: str = self._own.get("inputs", {}).get(one.name, {}).get(key, "")
        if told or self.language != ENGLISH:
            return told
        field = self._fields[one.name]
        return field.title if key == "label" else joined(_ended(field.description, field.note), field.note)


def plain(name: str) -> str:
    """Return a name in plain words: ``image_1`` -> Image 1."""
    return name.replace("_", " ").capitalize()


def _ended(description: str, note: str) -> str:
    return f"{description}." if description and note and not description.endswith(".") else description
