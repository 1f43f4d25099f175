"""Draws the images: the prompt on a soft gradient, the references of an edit, a line that says what was asked."""

from __future__ import annotations

import colorsys
import hashlib
import math
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from .asked import Asked
from .encoding import encode
from .lettering import fit, font_for
from .moving import make_sound, make_video
from .plans import Plan, frame_size, image_size, nearest_ratio
from .references import Lookup, card, load_references

_SKETCH = 96
"""Side of the gradient before it is enlarged, in pixels: enlarging is much faster than drawing at 4K."""


def make_file(model_id: str, asked: Asked, plan: Plan, lookup: Lookup) -> bytes:
    """Return the bytes of one planned file. The same request gives the same image."""
    if plan.content is not None:
        return plan.content
    key = f"{asked.prompt}|{asked.seed}|{plan.index}"
    if plan.medium == "audio":
        return make_sound(asked.seconds, ending=plan.ending, key=key)
    if plan.medium == "video":
        ratio = "16:9" if asked.shape in ("auto", "adaptive") else asked.shape
        still = draw(model_id, asked, replace(plan, size=plan.size or frame_size(ratio)), lookup)
        return make_video(still, asked.seconds, ending=plan.ending, sound=asked.sound, key=key)
    return encode(draw(model_id, asked, plan, lookup), plan.make)


def draw(model_id: str, asked: Asked, plan: Plan, lookup: Lookup) -> Image.Image:
    """Draw one image, RGB. With the ratio "auto", an edit takes the one nearest to its first reference."""
    references = load_references(asked.references, lookup)
    ratio = asked.shape
    if ratio == "auto":
        first = references[0] if references else ""
        ratio = "1:1" if isinstance(first, str) else nearest_ratio(*first.size)
    size = plan.size or image_size(ratio, asked.size)
    image = _gradient(size, f"{asked.prompt}|{asked.seed}|{plan.index}")
    facts = [model_id, ratio, asked.size, f"image {plan.index + 1} of {plan.total}"]
    facts[3:3] = [] if asked.seed is None else [f"seed {asked.seed}"]
    _write(image, asked.prompt, "   ·   ".join(facts), top=_lay_out(image, references))
    return image


def _gradient(size: tuple[int, int], key: str) -> Image.Image:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    hue, turn = digest[0] / 256, 0.08 + digest[1] / 256 * 0.22
    shades = [(hue, 0.62, 0.30), (hue + turn, 0.58, 0.42), (hue + 2 * turn, 0.66, 0.24)]
    ends = np.array([colorsys.hls_to_rgb(h % 1, light, strength) for h, strength, light in shades])
    across, down = np.meshgrid(np.linspace(0, 1, _SKETCH), np.linspace(0, 1, _SKETCH))
    way = (across + down) / 2
    colours = np.stack([np.interp(way, (0, 0.5, 1), ends[:, channel]) for channel in range(3)], axis=-1)
    glow = np.exp(-((across - digest[2] / 256) ** 2 + (down - digest[3] / 256) ** 2) / 0.12)
    colours = np.clip(colours + 0.10 * glow[..., None], 0, 1)
    sketch = Image.fromarray((colours * 255).round().astype(np.uint8))
    return sketch.resize(size, Image.Resampling.BICUBIC)


def _lay_out(image: Image.Image, references: list[Image.Image | str]) -> int:
    """Place the references in rows at the top; return where the rows end, in pixels."""
    if not references:
        return 0
    width, height = image.size
    margin = min(width, height) // 40
    shelf = int(height * 0.42)

    def side_in(rows: int) -> int:
        columns = math.ceil(len(references) / rows)
        return min((width - margin) // columns, shelf // rows) - margin

    rows = max(range(1, len(references) + 1), key=side_in)
    columns, side = math.ceil(len(references) / rows), max(8, side_in(rows))
    for index, reference in enumerate(references):
        row, column = divmod(index, columns)
        at = (margin + column * (side + margin), margin + row * (side + margin))
        image.paste(card(reference, index + 1, side), at)
    return margin + rows * (side + margin)


def _write(image: Image.Image, prompt: str, facts: str, top: int) -> None:
    width, height = image.size
    brush = ImageDraw.Draw(image, "RGBA")
    margin = min(width, height) // 16
    small = max(8, min(height // 36, width // 34))
    letters = font_for(facts, small)
    small = int(small * min(1.0, (width - 2 * margin) / max(1.0, letters.getlength(facts))))
    bar = height - 3 * max(8, small)
    brush.rectangle((0, bar, width, height), (0, 0, 0, 110))
    brush.text((margin, (bar + height) / 2), facts, (255, 255, 255, 225), font_for(facts, small), anchor="lm")
    room = max(16, bar - top - 2 * margin)
    largest = max(12, min(room // 4, width // 12))
    lines, font, step = fit(prompt, width - 2 * margin, room, largest, max(10, largest // 5))
    start = top + margin + (room - step * len(lines)) / 2
    for number, line in enumerate(lines):
        at = (margin, start + number * step)
        shift = max(1, step // 40)
        brush.text((at[0] + shift, at[1] + shift), line, (0, 0, 0, 120), font)
        brush.text(at, line, "white", font)
