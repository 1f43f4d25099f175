"""The contract of a node, as a snapshot of it is written down: what saved workflows and prompts rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# How an input is shown may change at any time.
PRESENTATION = ("tooltip", "placeholder", "advanced", "stem")


def contract(node_class: Any, display_name: str) -> dict[str, Any]:
    """Return all of a node that others rely on."""
    return {
        "node_id": node_class.__name__,
        "display_name": display_name,
        "category": node_class.CATEGORY,
        "function": node_class.FUNCTION,
        "output_node": getattr(node_class, "OUTPUT_NODE", False),
        "return_types": list(node_class.RETURN_TYPES),
        "return_names": list(node_class.RETURN_NAMES),
        "output_is_list": list(node_class.OUTPUT_IS_LIST),
        "input_is_list": getattr(node_class, "INPUT_IS_LIST", False),
        "inputs": list(inputs_of(node_class.INPUT_TYPES())),
    }


def inputs_of(input_types: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return each input of ``INPUT_TYPES`` as one flat object, in order."""
    for section, inputs in input_types.items():
        for name, declared in inputs.items():
            kind, options = (*declared, {})[:2] if isinstance(declared, tuple) else (declared, {})
            is_combo = isinstance(kind, list | tuple)
            yield {
                "name": name,
                "section": section,
                "type": "COMBO" if is_combo else kind,
                **({"choices": list(kind)} if is_combo else {}),
                **{option: value for option, value in options.items() if option not in PRESENTATION},
            }


def written(found: Mapping[str, Any]) -> str:
    """Return the snapshot's text: one input a line; 1, 1.0 and true are three things in it."""
    lines = [json.dumps(one, ensure_ascii=False) for one in found["inputs"]]
    head = json.dumps({**found, "inputs": []}, indent=2, ensure_ascii=False).removesuffix("[]\n}")
    return head + ("[\n    " + ",\n    ".join(lines) + "\n  ]\n}\n" if lines else "[]\n}\n")
