"""The help page of a node, made when it is asked for: from its inputs, the glossary, and parts in Markdown.

A part is ``locales/<language>/help/<name>.md``. A node's own, in a folder of its name, stands in the place of it.
The panel that shows the page is about 250 px wide, and would cut a table: there are lists only. In a part,
``{failure.<kind>}`` stands for what the page says of that failure, as any key of its texts does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby

from ..schema.conditions import told_beforehand
from ..schema.inputs import Phrase, Socket, Widget
from ..schema.kind import Field
from ..schema.model import ModelSpec, NodeSpec
from ..texts import messages
from .glossary import glossary, help_text, sentence
from .node_texts import NodeTexts

_PLACEHOLDER = re.compile(r"\{([A-Za-z_.]+)\}")
# A text's own values: within brackets they say a detail, elsewhere something is left out.
_DETAIL = re.compile(r"\s*[(\uff08][^()\uff08\uff09]*\{\w+\}[^()\uff08\uff09]*[)\uff09]")
_ADDRESS = re.compile(r"<(https://)([^>\s]+)>")
_VALUE = re.compile(r"\{\w+\}")
_MIB = 2**20


def help_page(node: NodeSpec, language: str) -> str:
    """Return the page of a node in one of the languages, in Markdown."""
    return _Page(node, language).text()


class _Page:
    def __init__(self, node: NodeSpec, language: str) -> None:
        self._node = node
        self._language = language
        self._texts = NodeTexts(node, language)
        self._words = glossary(language)["help"]
        self._headings = self._words["headings"]
        self._values: Mapping[str, object] = {**self._words["paragraphs"], **_limits(node)}

    def text(self) -> str:
        blocks = (
            f"# {self._texts.display_name}",
            self._part("intro") or self._introduction(),
            self._part("when"),
            self._part("before_first_run"),
            *self._inputs(),
            *self._output_section(),
            self._part("tips"),
            self._limits(),
            self._part("cost"),
            self._part("errors"),
        )
        # Without its scheme, an address fits a line of the panel.
        return _ADDRESS.sub(r"[\2](\1\2)", "\n\n".join(filter(None, blocks))) + "\n"

    def _output_section(self) -> Iterator[str]:
        if self._node.output.returned:
            yield f"## {self._headings['outputs']}"
            yield self._part(f"output_{self._node.output.name}") or self._list(self._outputs())

    def _introduction(self) -> str:
        told = self._texts.description
        return f"{told} (`{self._node.model_id}`)" if isinstance(self._node, ModelSpec) else told

    def _inputs(self) -> Iterator[str]:
        yield f"## {self._headings['inputs']}"
        yield self._list(self._input_rows())
        left_out = tuple(field.name for field in self._node.fields if not field.inputs)
        if left_out:
            yield sentence(self._language, Phrase("left_out", {"names": left_out}), _code)
        yield "\n".join(f"- {told}" for told in self._conditions())
        yield self._part("inputs")
        if any(one.options.get("placeholder") for one in self._node.inputs):
            yield self._part("samples")
        if isinstance(self._node, ModelSpec) and self._node.role("seed"):
            yield self._part("seed")
        for medium, fields in self._media().items():
            for field in _several(fields)[:1]:
                yield self._part(f"sockets_{medium}", _of_sockets(field))

    def _conditions(self) -> Iterator[str]:
        """Yield what the inputs need, exclude or bound among each other."""
        for condition in self._node.conditions if isinstance(self._node, ModelSpec) else ():
            for phrase in told_beforehand(condition, self._node.fields):
                yield sentence(self._language, phrase, _code)

    def _input_rows(self) -> Iterator[tuple[str, str]]:
        for _, grouped in groupby(self._node.inputs, _row):
            first, *others = grouped
            name, label = f"`{first.name}`", self._texts.label(first)
            if others:
                name = f"{name} … `{others[-1].name}`"
                label = f"{label} … {others[-1].number if isinstance(others[-1], Socket) else ''}"
            facts = " · ".join(self._texts.facts(first, _code))
            told = self._texts.tooltip(first)
            yield f"{name} ({label})", f"{told}<br>{facts}" if facts else told

    def _outputs(self) -> Iterator[tuple[str, str]]:
        for one in self._node.output.returned:
            texts = self._texts.output(one.name)
            label = "" if texts["label"] == one.name else f" ({texts['label']})"
            yield f"`{one.name}`{label}", f"{one.type}<br>{texts['tooltip']}"

    def _limits(self) -> str:
        """Return the common limits, then those of what goes in and comes out."""
        heading, _, common = self._part("limits").partition("\n\n")
        limits = [common]
        for medium, fields in self._media().items():
            limits += [self._part(f"limits_sockets_{medium}", _of_sockets(field)) for field in _several(fields)]
            addresses = {"addresses": "`, `".join(field.inputs[-1].name for field in fields)}
            limits.append(self._part(f"limits_input_{medium}", addresses))
        limits.append(self._part(f"limits_output_{self._node.output.name}"))
        return f"{heading}\n\n" + "\n".join(filter(None, limits))

    def _media(self) -> dict[str, list[Field]]:
        """Return the fields with sockets by what comes over these."""
        found: dict[str, list[Field]] = {}
        for field in self._node.fields:
            if field.sockets:
                found.setdefault(field.sockets[0].medium, []).append(field)
        return found

    def _part(self, name: str, values: Mapping[str, object] | None = None) -> str:
        """Return a part with its placeholders filled in; nothing where there is no such part."""
        own = help_text(self._language, f"{self._node.node_id}/{name}")
        known = {**self._values, **(values or {})}

        def value(found: re.Match[str]) -> str:
            return self._said(found[1]) if "." in found[1] else str(known[found[1]])

        return _PLACEHOLDER.sub(value, own or help_text(self._language, name))

    def _said(self, key: str) -> str:
        """Return a text of the page without the values that only a run has."""
        _, texts = messages(self._language)
        return _VALUE.sub("\u2026", _DETAIL.sub("", texts[key]))

    def _list(self, rows: Iterator[tuple[str, str]]) -> str:
        return "\n".join(f"- {_line(name)}<br>{_line(told)}" for name, told in rows)


def _row(one: Widget | Socket) -> str:
    """Return what inputs of one row have in common: the stem of numbered sockets."""
    return f"{one.stem} numbered" if isinstance(one, Socket) and one.number is not None else one.name


def _several(fields: list[Field]) -> list[Field]:
    return [field for field in fields if len(field.sockets) > 1]


def _limits(node: NodeSpec) -> dict[str, object]:
    if not isinstance(node, ModelSpec):
        return {}
    limits = node.limits
    return {
        "image_bytes": limits.image_bytes,
        "image_mib": limits.image_bytes // _MIB,
        "video_bytes": limits.video_bytes,
        "video_mib": limits.video_bytes // _MIB,
        "audio_bytes": limits.audio_bytes,
        "audio_mib": limits.audio_bytes // _MIB,
        "request_bytes": limits.request_bytes,
        "request_mib": limits.request_bytes // _MIB,
    }


def _of_sockets(field: Field) -> dict[str, object]:
    sockets = field.sockets
    return {
        "low": 1 if field.required else 0,
        "high": len(sockets),
        "stem": sockets[0].stem,
        "last": sockets[-1].name,
        "address": field.inputs[-1].name,
    }


def _code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _line(text: str) -> str:
    return text.replace("\n", " ")
