"""Models that RunComfy's catalogue has and the pack has not, and what a person does to add them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from playwright.sync_api import Locator

from emulator import Emulator
from emulator.catalog import Model

from .browser import Editor

PAINT = "RunComfy_acme__paint_2___0__text_to_image"
SKETCH = "RunComfy_acme__sketch__text_to_image"
PAINT_ID, SKETCH_ID = "acme/paint-2.0/text-to-image", "acme/sketch/text-to-image"
PAINT_NAME, SKETCH_NAME = "Paint 2.0 Text to Image", "Sketch Text to Image"
BASE = "google/nano-banana-2/text-to-image"


def offer(api: Emulator, model_id: str, name: str, **changes: Any) -> Model:
    """Let the catalogue have one more model, like one that is known but for ``changes`` of its properties."""
    base = api.models[BASE]
    schema = copy.deepcopy(base.input_schema)
    for prop, change in changes.items():
        if change is None:
            del schema["properties"][prop]
        else:
            schema["properties"][prop] = change
    roles = {role: prop for role, prop in base.roles.items() if prop in schema["properties"]}
    made = replace(base, model_id=model_id, display_name=name, input_schema=schema, roles=roles, base_price=0.2)
    api.models[model_id] = made
    api.prices[model_id] = made.base_price
    return made


def offer_both(api: Emulator) -> None:
    offer(api, PAINT_ID, PAINT_NAME)
    offer(api, SKETCH_ID, SKETCH_NAME)


def open_models(editor: Editor) -> Locator:
    """Open the dialog, and wait until the catalogue is read."""
    editor.do("() => { app.extensionManager.command.execute('RunComfy.AddModels'); }")
    dialog = editor.page.locator("dialog.runcomfy-models-dialog")
    dialog.get_by_text("catalogue of").wait_for()
    return dialog


def add(editor: Editor, search: str, *names: str) -> None:
    """Add models in the dialog."""
    dialog = open_models(editor)
    dialog.locator("input[type=search]").fill(search)
    for name in names:
        dialog.get_by_label(name).check()
    dialog.locator(".runcomfy-primary").click()
    dialog.get_by_text("found in the node search").wait_for()
    editor.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
