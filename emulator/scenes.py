"""Scenes that follow what was asked: the words choose the kind, the seed the light, the colours and the shapes."""

from __future__ import annotations

import colorsys
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps

Colour = tuple[int, int, int]
Array = npt.NDArray[np.float64]

SKETCH = 560
"""The longer side that a scene is drawn at, in pixels: enlarging is much faster than drawing at 4K."""
# Top and bottom of the sky, and the light in it.
_SKIES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((58, 78, 140), (246, 178, 140), (255, 236, 196)),
    ((64, 132, 204), (206, 230, 240), (255, 252, 236)),
    ((44, 38, 96), (236, 116, 92), (255, 206, 150)),
    ((12, 18, 48), (62, 84, 132), (226, 232, 250)),
    ((92, 150, 160), (244, 222, 178), (255, 246, 220)),
)


@dataclass
class Sketch:
    """A scene that is being drawn."""

    image: Image.Image
    random: np.random.Generator
    sky: tuple[Colour, Colour, Colour]

    @property
    def brush(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    @property
    def accent(self) -> Colour:
        """A strong colour of its own."""
        red, green, blue = colorsys.hls_to_rgb(float(self.random.random()), 0.5, 0.62)
        return round(red * 255), round(green * 255), round(blue * 255)


def scene(size: tuple[int, int], words: str, key: str) -> Image.Image:
    """Draw a scene of `size` pixels, RGB. The same words and key give the same one."""
    scale = SKETCH / max(size)
    small = max(8, round(size[0] * scale)), max(8, round(size[1] * scale))
    random = np.random.default_rng(list(hashlib.sha256(key.encode("utf-8", "replace")).digest()))
    sky = _SKIES[int(random.integers(len(_SKIES)))]
    sketch = Sketch(_sky(small, sky, random), random, sky)
    next(paint for pattern, paint in _KINDS if re.search(pattern, words, re.IGNORECASE))(sketch)
    return sketch.image.resize(size, Image.Resampling.BICUBIC)


def graded(image: Image.Image, key: str) -> Image.Image:
    """Return an image in another light, of one that the key chooses."""
    random = np.random.default_rng(list(hashlib.sha256(key.encode("utf-8", "replace")).digest()))
    dark, middle, light = _SKIES[int(random.integers(len(_SKIES)))]
    toned = ImageOps.colorize(image.convert("L"), mixed(dark, (0, 0, 0), 0.6), light, mid=middle, midpoint=118)
    return Image.blend(image, toned, 0.55)


def _sky(size: tuple[int, int], sky: tuple[Colour, Colour, Colour], random: np.random.Generator) -> Image.Image:
    width, height = size
    across, down = np.meshgrid(np.linspace(0, width / height, width), np.linspace(0, 1, height))
    top, bottom, light = (np.array(colour, dtype=float) for colour in sky)
    share = np.clip(down / 0.7, 0, 1)[..., None]
    colours = top * (1 - share) + bottom * share
    centre = (0.2 + 0.6 * random.random()) * width / height, 0.14 + 0.26 * random.random()
    distance = np.hypot(across - centre[0], down - centre[1])
    glow = 0.55 * np.exp(-((distance / 0.28) ** 2)) + 1.0 / (1 + np.exp((distance - 0.06) * 220))
    colours += (light - colours) * np.clip(glow, 0, 1)[..., None]
    return Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two: `share` 0 is the first, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _profile(random: np.random.Generator, width: int, rough: float) -> Array:
    """Return a line of hills, in -1..1."""
    way = np.linspace(0, 2 * math.pi, width)
    waves = (
        np.sin(way * turns * (0.6 + random.random()) + random.random() * 7) * rough**step
        for step, turns in enumerate((1, 2, 4, 9, 19))
    )
    line: Array = np.sum(list(waves), axis=0)
    line /= np.abs(line).max()
    return line


def _ridge(sketch: Sketch, level: float, swing: float, colour: Colour, rough: float = 0.55) -> Array:
    """Fill a hill to the ground; return its line in pixels."""
    width, height = sketch.image.size
    line = height * (level + swing * _profile(sketch.random, width, rough))
    points = [(float(x), float(y)) for x, y in enumerate(line)]
    sketch.brush.polygon([*points, (width, height), (0, height)], fill=colour)
    return line


def _land(sketch: Sketch) -> None:
    dark = mixed(sketch.sky[0], (8, 20, 18), 0.72)
    for number in range(4):
        line = _ridge(sketch, 0.5 + 0.13 * number, 0.09, mixed(sketch.sky[1], dark, 0.25 + 0.25 * number))
    width, height = sketch.image.size
    for x in sketch.random.integers(0, width, 26):
        tall, foot = height * (0.05 + 0.07 * sketch.random.random()), float(line[x]) + 4
        half = tall * 0.22
        sketch.brush.polygon(
            [(x, foot - tall), (x - half, foot), (x + half, foot)], fill=mixed(dark, (0, 0, 0), 0.25)
        )


def _sea(sketch: Sketch) -> None:
    _ridge(sketch, 0.56, 0.05, mixed(sketch.sky[0], sketch.sky[1], 0.45))
    width, height = sketch.image.size
    level = round(height * 0.62)
    mirrored = sketch.image.crop((0, max(0, 2 * level - height), width, level)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    water = Image.blend(mirrored, Image.new("RGB", mirrored.size, mixed(sketch.sky[0], (10, 30, 50), 0.5)), 0.45)
    sketch.image.paste(water, (0, level))
    for _ in range(70):
        x, share = sketch.random.random() * width, sketch.random.random()
        y, half = level + (height - level) * share, width * (0.02 + 0.06 * share)
        sketch.brush.line(
            (x - half, y, x + half, y), fill=mixed(sketch.sky[1], sketch.sky[2], share), width=1 + round(2 * share)
        )
    _tower(sketch, level)


def _tower(sketch: Sketch, level: int) -> None:
    width, height = sketch.image.size
    x, tall = width * (0.2 + 0.6 * sketch.random.random()), height * 0.3
    half = tall * 0.09
    for number in range(5):
        low, high = level - tall * number / 5, level - tall * (number + 1) / 5
        colour = sketch.accent if number == 1 else mixed((238, 234, 226), sketch.sky[1], 0.15 * (number % 2))
        slope = 0.06 * number
        sketch.brush.polygon(
            [(x - half * (1 - slope), low), (x + half * (1 - slope), low), (x + half * 0.9 * (1 - slope), high),
             (x - half * 0.9 * (1 - slope), high)], fill=colour)  # fmt: skip
    sketch.brush.ellipse((x - half, level - tall * 1.08, x + half, level - tall * 0.97), fill=sketch.sky[2])


def _city(sketch: Sketch) -> None:
    width, height = sketch.image.size
    for depth in range(3):
        colour = mixed(sketch.sky[1], (14, 16, 30), 0.4 + 0.25 * depth)
        x = -20.0
        while x < width:
            wide = width * (0.05 + 0.06 * sketch.random.random())
            top = height * (0.3 + 0.16 * depth + 0.22 * sketch.random.random())
            sketch.brush.rectangle((x, top, x + wide, height), fill=colour)
            if depth:
                _windows(sketch, (x, top, x + wide, height), mixed(colour, (255, 214, 140), 0.8))
            x += wide + 2


def _windows(sketch: Sketch, box: tuple[float, float, float, float], colour: Colour) -> None:
    left, top, right, bottom = box
    step = max(6.0, (right - left) / 6)
    for y in np.arange(top + step, bottom, step * 1.4):
        for x in np.arange(left + step * 0.6, right - step * 0.6, step):
            if sketch.random.random() < 0.4:
                sketch.brush.rectangle((x, y, x + step * 0.4, y + step * 0.6), fill=colour)


def _things(sketch: Sketch) -> None:
    """A vase and fruit on a table."""
    width, height = sketch.image.size
    sketch.brush.rectangle((0, height * 0.68, width, height), fill=mixed(sketch.sky[1], (84, 56, 40), 0.55))
    middle, foot, tall = width * 0.5, height * 0.8, height * 0.5
    unit = min(width, height)
    sketch.brush.ellipse((middle - unit * 0.3, foot - unit * 0.05, middle + unit * 0.34, foot + unit * 0.06),
                         fill=mixed(sketch.sky[1], (40, 28, 24), 0.7))  # fmt: skip
    colour = sketch.accent
    belly = 0.5 + 0.3 * sketch.random.random()
    for y in range(round(foot - tall), round(foot)):
        share = (foot - y) / tall
        half = unit * (0.06 + 0.13 * math.exp(-(((share - 0.4 * belly) / 0.28) ** 2)) + 0.03 * (share > 0.94))
        _shaded_line(sketch, middle, y, half, colour)
    for place in (-0.27, 0.3, 0.4):
        _ball(sketch, middle + unit * place, foot - unit * 0.01, unit * 0.07)


def _shaded_line(sketch: Sketch, middle: float, y: int, half: float, colour: Colour) -> None:
    for number in range(12):
        left, right = (middle - half + 2 * half * each / 12 for each in (number, number + 1))
        light = math.sin(math.pi * (number + 0.5) / 12) - 0.06 * number
        sketch.brush.line(
            (left, y, right, y),
            fill=mixed(mixed(colour, (20, 16, 26), 0.55), mixed(colour, (255, 255, 255), 0.35), light),
        )


def _ball(sketch: Sketch, x: float, foot: float, radius: float) -> None:
    colour = sketch.accent
    for number in range(10):
        share = number / 10
        inner = radius * (1 - share)
        at = x - radius * 0.3 * share, foot - radius - radius * 0.3 * share
        shade = mixed(mixed(colour, (10, 10, 16), 0.4), mixed(colour, (255, 255, 255), 0.5), share)
        sketch.brush.ellipse((at[0] - inner, at[1] - inner, at[0] + inner, at[1] + inner), fill=shade)


def _figures(sketch: Sketch) -> None:
    """One figure, seen from three sides."""
    width, height = sketch.image.size
    sketch.brush.rectangle((0, height * 0.84, width, height), fill=mixed(sketch.sky[1], (60, 64, 84), 0.4))
    colours = sketch.accent, sketch.accent, mixed((236, 190, 152), sketch.sky[1], 0.15)
    tall = min(height * 0.66, width * 0.62)
    for number, turn in enumerate((-0.5, 0.0, 0.5)):
        _figure(sketch, width * (0.2 + 0.3 * number), height * 0.88, tall, turn, colours)


def _figure(
    sketch: Sketch, x: float, foot: float, tall: float, turn: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    coat, hair, skin = colours
    brush, half, top = sketch.brush, tall * 0.17, foot - tall
    brush.ellipse(
        (x - half * 1.3, foot - tall * 0.03, x + half * 1.3, foot + tall * 0.03),
        fill=mixed(coat, (20, 20, 30), 0.7),
    )
    for side in (-0.4, 0.4):
        brush.rectangle(
            (x + half * (side - 0.22), foot - tall * 0.3, x + half * (side + 0.22), foot),
            fill=mixed(coat, (20, 20, 40), 0.6),
        )
    shoulder, hem = top + tall * 0.36, foot - tall * 0.2
    brush.polygon(
        [(x - half * 0.6, shoulder), (x + half * 0.6, shoulder), (x + half, hem), (x - half, hem)], fill=coat
    )
    head = tall * 0.16
    brush.ellipse((x - head, top + tall * 0.04, x + head, top + tall * 0.04 + 2 * head), fill=skin)
    brush.pieslice(
        (x - head * 1.08, top, x + head * 1.08, top + 2.1 * head), 175 - turn * 50, 365 - turn * 50, fill=hair
    )
    for side in (-0.35, 0.35):
        at = x + head * (side + turn * 0.8), top + tall * 0.04 + head * 1.15
        brush.ellipse(
            (at[0] - head * 0.1, at[1] - head * 0.12, at[0] + head * 0.1, at[1] + head * 0.12), fill=(32, 28, 40)
        )


_KINDS: tuple[tuple[str, Callable[[Sketch], None]], ...] = (
    (r"character|portrait|girl|boy|person|woman|hero|doll", _figures),
    (r"product|bottle|vase|cup|teapot|watch|lamp|jar|perfume", _things),
    (r"city|street|skyline|tower block|neon", _city),
    (r"lighthouse|harbour|harbor|sea|lake|coast|boat|island", _sea),
    (r"", _land),
)
