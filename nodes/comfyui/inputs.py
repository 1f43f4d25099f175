"""ModelSpec -> ``INPUT_TYPES`` of a V1 node. Pure.

Names, order and defaults are a contract: saved workflows store widget values by position.
"""

from __future__ import annotations

from typing import TypeAlias

from ..core.schema.model import (
    INT32_MAX,
    RERUN_SEED,
    Boolean,
    Choice,
    Field,
    Images,
    Integer,
    ModelSpec,
    Seed,
    Text,
)

InputTypes: TypeAlias = dict[str, dict[str, tuple[object, dict[str, object]]]]

_SEED_FOLDS = f"Values beyond {INT32_MAX} that come over a link are folded into 0..{INT32_MAX}."
_RERUN_TIP = (
    "Never sent. The same inputs are paid for once and then handed out again without a charge; "
    "change this number to pay for a new take."
)


def input_types(spec: ModelSpec) -> InputTypes:
    """Return the inputs of a model's node: what the schema requires is required, except images.

    Images come over any of their sockets or as URLs, so none of these inputs can be required on its own.
    """
    inputs: InputTypes = {"required": {}, "optional": {}}
    for field in spec.fields:
        if isinstance(field.kind, Images):
            inputs["optional"].update(_images(field, field.kind))
        else:
            inputs["required" if field.required else "optional"][field.name] = _widget(field)
    if not spec.has_seed:
        inputs["optional"][RERUN_SEED] = (
            "INT",
            {"default": 0, "min": 0, "max": INT32_MAX, "step": 1, "tooltip": _RERUN_TIP},
        )
    return inputs


def _widget(field: Field) -> tuple[object, dict[str, object]]:
    tip = field.explanation
    match field.kind:
        case Text(default=default, sample=sample, multiline=multiline):
            return "STRING", {"default": default, "multiline": multiline, "placeholder": sample, "tooltip": tip}
        case Choice(choices=choices, default=default):
            return list(choices), {"default": default, "tooltip": tip}
        case Integer(minimum=low, maximum=high, default=default):
            return "INT", {"default": default, "min": low, "max": high, "step": 1, "tooltip": tip}
        case Seed(default=default):
            return "INT", {
                "default": default,
                "min": 0,
                "max": INT32_MAX,
                "step": 1,
                "control_after_generate": True,
                "tooltip": f"{tip} {_SEED_FOLDS}",
            }
        case Boolean(default=default):
            return "BOOLEAN", {"default": default, "tooltip": tip}
        case Images():
            raise TypeError("images have sockets")


def _images(field: Field, kind: Images) -> dict[str, tuple[object, dict[str, object]]]:
    sockets: dict[str, tuple[object, dict[str, object]]] = {
        socket: (
            "IMAGE",
            {"tooltip": f"One reference image or a batch, of any size; {kind.maximum} images in all."},
        )
        for socket in kind.sockets
    }
    sample = "\n".join(kind.sample)
    sockets[field.name] = (
        "STRING",
        {"default": "", "multiline": True, "placeholder": sample, "tooltip": field.explanation},
    )
    return sockets
