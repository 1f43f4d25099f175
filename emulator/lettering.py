"""Fonts, and text broken into lines that fit."""

from __future__ import annotations

import functools
import unicodedata

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_WIDE_FONTS = ("NotoSansCJK-Regular.ttc", "msyh.ttc", "PingFang.ttc", "Hiragino Sans GB.ttc", "malgun.ttf")
_MOST_LETTERS = 600


@functools.lru_cache(maxsize=1)
def _wide_font() -> str | None:
    """Find a font of the system with Chinese, Japanese and Korean letters."""
    for name in _WIDE_FONTS:
        try:
            ImageFont.truetype(name, 12)
        except OSError:
            continue
        return name
    return None


@functools.lru_cache(maxsize=256)
def _font(name: str | None, size: int) -> Font:
    return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)


def font_for(text: str, size: float) -> Font:
    """Return a font of `size` pixels: Pillow's own, or, for CJK text, one of the system's if there is one."""
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in text[:_MOST_LETTERS])
    return _font(_wide_font() if wide else None, max(8, int(size)))


def fit(text: str, width: int, height: int, largest: int, smallest: int) -> tuple[list[str], Font, int]:
    """Break a text into lines for a box of `width` x `height` pixels: (lines, font, line height).

    The largest size that fits is taken; what does not fit even at the smallest ends in an ellipsis.
    """
    text = " ".join(text[:_MOST_LETTERS].split())
    size = largest
    while True:
        font, step = font_for(text, size), int(size * 1.3)
        lines, most = _wrap(text, font, width), max(1, height // step)
        if len(lines) <= most or size <= smallest:
            break
        size = max(smallest, int(size * 0.85))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1].rstrip() + "…"]
    return lines, font, step


def _wrap(text: str, font: Font, width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in word:
            if line and font.getlength(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line] if line else lines
