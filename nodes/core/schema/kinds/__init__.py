"""The kinds of input that a schema can have, one module each: it holds all that is special about the kind.

A module is found by being here, and offers its kind as ``KIND``.
"""

from __future__ import annotations

from ...members import members
from ..kind import Kind, Property


def kind_of(prop: Property) -> Kind:
    """Return the kind of a property.

    Raises:
        SchemaError: no kind stands for it, or it is of a kind and has something that is not understood.
    """
    kinds: tuple[type[Kind], ...] = members(__name__, "KIND")
    found = [kind for kind in (candidate.read(prop) for candidate in kinds) if kind is not None]
    if len(found) == 1:
        return found[0]
    shown = f"{prop.schema.get('type')!r:.40}"
    problem = f"no widget stands for {shown}" if not found else f"several kinds claim {shown}"
    more = [key for key in ("enum", "items", "format") if key in prop.schema]
    raise prop.schema.fault("type", f"{problem}{' with this ' if more else ''}{' and '.join(more)}")
