"""Draws the images: a scene that follows what was asked, the references of an edit, and the prompt as a caption."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageOps

from .asked import Asked
from .encoding import encode
from .lettering import fit, font_for
from .moving import make_sound, make_video
from .plans import Plan, frame_size, image_size, nearest_ratio
from .references import Lookup, card, load_references
from .scenes import graded, scene

SHELF = 0.2
"""How much of an image's height the cards of its references take."""


def make_file(model_id: str, asked: Asked, plan: Plan, lookup: Lookup) -> bytes:
    """Return the bytes of one planned file. The same request gives the same image."""
    if plan.content is not None:
        return plan.content
    key = f"{asked.prompt}|{asked.seed}|{plan.index}"
    if plan.medium == "audio":
        return make_sound(asked.seconds, ending=plan.ending, key=key)
    if plan.medium == "video":
        ratio = "16:9" if asked.shape in ("auto", "adaptive") else asked.shape
        drawing = compose(model_id, asked, replace(plan, size=plan.size or frame_size(ratio)), lookup)
        return make_video(
            drawing.image, asked.seconds, ending=plan.ending, sound=asked.sound, key=key, finish=drawing.label
        )
    return encode(draw(model_id, asked, plan, lookup), plan.make)


@dataclass(frozen=True)
class Drawing:
    """An image, RGB, and what is laid over it: the references of an edit, the prompt, and what was asked."""

    image: Image.Image
    references: list[Image.Image | str]
    prompt: str
    facts: str

    def label(self, image: Image.Image) -> None:
        """Lay it over an image of the same size."""
        _lay_out(image, self.references)
        _write(image, self.prompt, self.facts)


def draw(model_id: str, asked: Asked, plan: Plan, lookup: Lookup) -> Image.Image:
    """Draw one image, RGB, with what is laid over it."""
    drawing = compose(model_id, asked, plan, lookup)
    drawing.label(drawing.image)
    return drawing.image


def compose(model_id: str, asked: Asked, plan: Plan, lookup: Lookup) -> Drawing:
    """Draw one image without its label. With the ratio "auto", an edit takes the one nearest to its reference."""
    references = load_references(asked.references, lookup)
    first = references[0] if references else ""
    ratio = asked.shape
    if ratio == "auto":
        ratio = "1:1" if isinstance(first, str) else nearest_ratio(*first.size)
    size = plan.size or image_size(ratio, asked.size)
    key = f"{asked.prompt}|{asked.seed}|{plan.index}"
    # An edit shows its first reference in another light.
    image = scene(size, asked.prompt, key) if isinstance(first, str) else graded(_fitted(first, size), key)
    facts = [model_id, ratio, asked.size, f"{plan.medium} {plan.index + 1} of {plan.total}"]
    facts[3:3] = [] if asked.seed is None else [f"seed {asked.seed}"]
    return Drawing(image, references, asked.prompt, "   ·   ".join(facts))


def _fitted(reference: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(reference, size, Image.Resampling.BICUBIC)


def _lay_out(image: Image.Image, references: list[Image.Image | str]) -> None:
    """Place the references in rows at the top."""
    if not references:
        return
    width, height = image.size
    margin = min(width, height) // 40
    shelf = int(height * SHELF)

    def side_in(rows: int) -> int:
        columns = math.ceil(len(references) / rows)
        return min((width - margin) // columns, shelf // rows) - margin

    rows = max(range(1, len(references) + 1), key=side_in)
    columns, side = math.ceil(len(references) / rows), max(8, side_in(rows))
    for index, reference in enumerate(references):
        row, column = divmod(index, columns)
        at = (margin + column * (side + margin), margin + row * (side + margin))
        image.paste(card(reference, index + 1, side), at)


def _write(image: Image.Image, prompt: str, facts: str) -> None:
    """Write the prompt and what was asked into a bar at the bottom."""
    width, height = image.size
    margin = max(2, min(width, height) // 32)
    letters = max(8, min(height // 34, width // 34))
    lines, font, step = fit(
        prompt, max(1, width - 2 * margin), 2 * int(letters * 1.3), letters, max(8, letters // 2)
    )
    small = font_for(facts, letters * 0.8)
    shrink = min(1.0, (width - 2 * margin) / max(1.0, small.getlength(facts)))
    small = font_for(facts, letters * 0.8 * shrink)
    top = height - step * (len(lines) + 1) - 2 * margin
    brush = ImageDraw.Draw(image, "RGBA")
    brush.rectangle((0, top, width, height), (8, 10, 16, 235))
    for number, line in enumerate(lines):
        brush.text((margin, top + margin + number * step), line, "white", font)
    brush.text((margin, height - margin - step / 2), facts, (255, 255, 255, 190), small, anchor="lm")
