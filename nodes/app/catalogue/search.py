"""The catalogue looked through: what a person can add, and what of it is here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ...core.api.responses import clean, parse_price
from ...core.errors import Failure, PackError
from ...core.schema.document import SchemaError
from ...core.schema.entry import SUFFIX, maker_of, medium_of_output, model_document, name_of, task_of
from ...core.schema.live.structure import read_structure
from ...core.schema.model import ModelSpec
from ...core.schema.names import node_id_of
from ...core.schema.parse import parse_model
from .here import HERE
from .listing import Catalogue, Entry

T = TypeVar("T")
JSONObject = dict[str, object]

MAX_LIMIT = 100
MAX_TEXT = 500
_UNITS = ("image", "second", "output")
_ANY_DAY = "2026-01-01"


def cannot_be_a_node(model_id: str, error: Exception) -> PackError:
    """Return the refusal of an entry that no node can be made of."""
    return PackError("cannot_be_a_node", model_id=model_id, reason=str(error)[:400])


@dataclass(frozen=True)
class Found:
    """A model of the catalogue, or one that is here and not in it: ``entry`` is {} then."""

    model_id: str
    entry: Entry

    @property
    def here(self) -> ModelSpec | None:
        """The model, where it is here."""
        return HERE.model(self.model_id)

    @cached_property
    def name(self) -> str:
        """What people call it."""
        own = self.here.display_name.removesuffix(SUFFIX) if self.here else self.model_id
        return _or(lambda: _line(name_of(self.entry)), own) if self.entry else own

    @property
    def maker(self) -> str:
        """Who makes it."""
        return maker_of(self.model_id)

    @cached_property
    def kind(self) -> str:
        """What it makes: image, video or audio; '' where the catalogue does not tell."""
        return self.here.output.medium if self.here else _or(lambda: medium_of_output(self.entry), "")

    @cached_property
    def task(self) -> str:
        """What it does, as the catalogue's category has it."""
        return _or(lambda: _line(task_of(self.entry)), "")

    @cached_property
    def words(self) -> str:
        """What a search looks through."""
        told = self.here.description if self.here else self.entry.get("description", "")
        return f"{self.model_id} {self.name} {self.maker} {self.task} {told}".casefold()

    @cached_property
    def spec(self) -> ModelSpec | PackError:
        """The node that it is or would be, or why it can be none."""
        try:
            return self.here or parse_model(model_document(self.entry, _ANY_DAY))
        except (SchemaError, ValueError, RecursionError) as error:
            return cannot_be_a_node(self.model_id, error)

    @property
    def price(self) -> tuple[float | None, str]:
        """The base price in USD, and what it is for."""
        price = parse_price(self.entry)
        return (price.usd, price.unit if price.unit in _UNITS else "") if price else (None, "")

    @property
    def is_changed(self) -> bool:
        """Whether its schema is another one than that of the model here."""
        live, own = read_structure(self.entry.get("input_schema")), self.here and self.here.structure
        return bool(live and own and live.hash != own.hash)

    def view(self) -> JSONObject:
        """Return it as the page lists it."""
        usd, unit = self.price
        spec = self.spec
        refused = spec.failure if isinstance(spec, PackError) else None
        return {
            "model_id": self.model_id,
            "name": self.name,
            "maker": self.maker,
            "kind": self.kind,
            "task": self.task,
            "price": usd,
            "unit": unit,
            "takes": [] if isinstance(spec, PackError) else takes(spec),
            "gives": self.kind,
            "node_id": self.here.node_id if self.here else node_id_of(self.model_id),
            "here": HERE.source(self.model_id),
            "changed": self.is_changed,
            "refused": refused.payload() if refused else None,
        }


def takes(spec: ModelSpec) -> list[JSONObject]:
    """Return what goes into a model: its prompt, and each stem of files with what they hold."""
    prompt = spec.role("prompt")
    text = [{"name": prompt.name, "kind": "text", "required": prompt.required}] if prompt else []
    stems: dict[str, JSONObject] = {}
    for field in spec.fields:
        for socket in field.sockets[:1]:
            told = {"name": socket.stem, "kind": socket.medium, "required": field.required}
            stems.setdefault(f"{socket.stem} {socket.medium}", told)
    return [*text, *stems.values()]


def search(
    models: Iterable[Found], text: str = "", *, kind: str = "", maker: str = "", task: str = ""
) -> list[Found]:
    """Return the models that have every word of a text, and are of a kind, a maker and a task; '' asks nothing."""
    words = text.casefold().split()
    return [
        one
        for one in models
        if kind in ("", one.kind)
        and maker in ("", one.maker)
        and task in ("", one.task)
        and all(word in one.words for word in words)
    ]


def all_of(catalogue: Catalogue) -> list[Found]:
    """Return the models of the catalogue and those that are here, by their ids."""
    ids = {*catalogue.entries, *(spec.model_id for spec in HERE.models())}
    return [Found(model_id, catalogue.entries.get(model_id, {})) for model_id in sorted(ids)]


def search_view(
    catalogue: Catalogue, failure: Failure | None, asked: Mapping[str, object], now: float
) -> JSONObject:
    """Return a part of what is found, as the page asks for it."""
    words = {name: _text(asked.get(name)) for name in ("kind", "maker", "task")}
    everything = all_of(catalogue)
    found = search(everything, _text(asked.get("search")), **words)
    offset = _whole(asked.get("offset"), 0, len(found))
    limit = _whole(asked.get("limit"), MAX_LIMIT, MAX_LIMIT)
    return {
        "read_at": catalogue.read_at,
        "stale": not catalogue.is_fresh(now),
        "failure": failure.payload() if failure else None,
        "left_out": [one.payload() for one in HERE.failures],
        "total": len(found),
        "kinds": _different(one.kind for one in everything),
        "makers": _different(one.maker for one in everything),
        "tasks": _different(one.task for one in everything),
        "models": [one.view() for one in found[offset : offset + limit]],
    }


def _different(words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word}, key=str.casefold)


def _or(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except SchemaError:
        return otherwise


def _line(text: str) -> str:
    """Return a text of the catalogue as a terminal and a page can show it."""
    return clean(text)[:MAX_TEXT]


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _whole(value: object, otherwise: int, most: int) -> int:
    return max(0, min(value, most)) if type(value) is int else min(otherwise, most)
