"""A node, and a model that is one, as typed data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from .conditions import Condition
from .document import JSON
from .inputs import Flag, Socket, Widget
from .kind import Field
from .live.structure import Structure, read_structure
from .outputs import Output, output_of
from .own import FAILURE, RERUN

CONTROL = "control_after_generate"


@dataclass(frozen=True)
class Limits:
    """What one request may hold: bytes of one encoded image, of the whole JSON body, of one video, of one sound."""

    image_bytes: int
    request_bytes: int
    video_bytes: int = 32 * 2**20
    audio_bytes: int = 16 * 2**20

    def of(self, medium: str) -> int:
        """Return how many bytes one file of a medium may have; a mask is an image."""
        return {"video": self.video_bytes, "audio": self.audio_bytes}.get(medium, self.image_bytes)


@dataclass(frozen=True)
class NodeSpec:
    """One node: its names, its kind of output, and its inputs in the order of its widgets."""

    node_id: str
    display_name: str
    category: str
    description: str
    search_aliases: tuple[str, ...]
    output_kind: str
    read_fields: Callable[[], tuple[Field, ...]] = field(compare=False, repr=False)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The inputs that a run is made of; of a model, its schema's, read when they are first asked for."""
        return self.read_fields()

    @property
    def output(self) -> Output:
        """What the node returns."""
        return output_of(self.output_kind)

    @property
    def own_fields(self) -> tuple[Field, ...]:
        """The pack's own inputs, which are never sent."""
        return ()

    @cached_property
    def inputs(self) -> tuple[Widget | Socket, ...]:
        """All widgets and sockets, the pack's own last."""
        return tuple(one for each in (*self.fields, *self.own_fields) for one in each.inputs)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """All flags of the shell, the pack's own last."""
        return tuple(flag for each in (*self.fields, *self.own_fields) for flag in each.flags)


@dataclass(frozen=True)
class ModelSpec(NodeSpec):
    """One model: a node, its id at the API, and its own command in the shell; '' where it has none.

    ``schema_sha256`` and ``read_on`` (a date) tell which edition of the published schema this is.
    """

    model_id: str
    command: str
    limits: Limits
    schema_sha256: str
    read_on: str
    read_conditions: Callable[[], tuple[Condition, ...]] = field(default=tuple, compare=False, repr=False)
    read_schema: Callable[[], JSON] = field(default=dict, compare=False, repr=False)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What its inputs need, exclude or bound among each other."""
        return self.read_conditions()

    @cached_property
    def structure(self) -> Structure | None:
        """The structure of its schema, beside which a live one is laid; None where that cannot be read."""
        return read_structure(self.read_schema())

    @property
    def serialized(self) -> tuple[str, ...]:
        """What a saved workflow holds the values of, by position: each widget, and the control behind a seed."""
        widgets = (one for one in self.inputs if isinstance(one, Widget))
        return tuple(name for one in widgets for name in (one.name, CONTROL)[: 1 + bool(one.options.get(CONTROL))])

    @property
    def slug(self) -> str:
        """What files of it are called."""
        return self.command or self.model_id.replace("/", "-")

    @property
    def own_fields(self) -> tuple[Field, ...]:
        """``rerun_seed``, where no seed of the model's own asks for a new take; ``on_failure`` is always last."""
        return (FAILURE,) if self.role("seed") else (RERUN, FAILURE)

    def role(self, role: str) -> Field | None:
        """Return the field that has a role, if there is one: ``prompt``, ``count``, ``size``, ``seed`` .."""
        return next((each for each in self.fields if each.role == role), None)
