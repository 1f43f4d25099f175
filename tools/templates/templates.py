"""The templates, as data. Their titles are what people read and search: the host shows the files' names."""

from __future__ import annotations

from collections.abc import Mapping

from . import texts
from .graph import Node, Point, Template

TEXT = "RunComfyNanoBanana2TextToImage"
EDIT = "RunComfyNanoBananaProEdit"
COLLECT = "RunComfyCollect"

NOTE: Point = (360, 320)
TEXT_SIZE: Point = (420, 490)
EDIT_SIZE: Point = (420, 530)
LOAD_SIZE: Point = (360, 370)
PREVIEW_SIZE: Point = (420, 420)
SAVE_SIZE: Point = (540, 680)

FOX = (
    "A red fox asleep on a mossy rock beside a waterfall, early morning mist, soft light, shallow depth of field, "
    "photograph"
)


def _text(
    name: str, pos: Point, prompt: str, links: Mapping[str, tuple[str, int]] | None = None, **values: object
) -> Node:
    widgets = {"prompt": prompt, "seed": 7, "aspect_ratio": "16:9", **values}
    return Node(name, TEXT, pos, TEXT_SIZE, widgets, links or {})


def _edit(name: str, pos: Point, prompt: str, links: Mapping[str, tuple[str, int]], **values: object) -> Node:
    return Node(name, EDIT, pos, EDIT_SIZE, {"prompt": prompt, **values}, links)


def _load(name: str, pos: Point, title: str = "") -> Node:
    return Node(name, "LoadImage", pos, LOAD_SIZE, ("example.png", "image"), title=title)


def _preview(name: str, pos: Point, source: str) -> Node:
    return Node(name, "PreviewImage", pos, PREVIEW_SIZE, (), {"images": (source, 0)})


def _save(pos: Point, source: str, prefix: str) -> Node:
    return Node("save", "SaveImage", pos, SAVE_SIZE, (prefix,), {"images": (source, 0)})


TEMPLATES: tuple[Template, ...] = (
    Template(
        "Nano Banana 2 - text to image",
        texts.TEXT,
        NOTE,
        (_text("make", (420, 0), FOX), _save((900, 0), "make", "text_to_image")),
    ),
    Template(
        "Nano Banana 2 - 1K draft, then 4K",
        texts.DRAFT,
        (360, 420),
        (
            _text("draft", (420, 0), FOX),
            _preview("seen", (420, 600), "draft"),
            _edit(
                "large",
                (900, 0),
                "The same image in full detail: keep the composition, the colours and the light.",
                {"image_urls": ("draft", 1)},
                resolution="4K",
                aspect_ratio="16:9",
            ),
            _save((1380, 0), "large", "draft_then_4k"),
        ),
    ),
    Template(
        "Nano Banana 2 - product shot",
        texts.PRODUCT,
        NOTE,
        (
            _text(
                "make",
                (420, 0),
                "Product shot of a hand-thrown ceramic vase on an oak table, softbox from the left, long soft "
                "shadow, "
                "plain warm background, photograph with a long lens",
                num_images=4,
                aspect_ratio="4:5",
            ),
            _save((900, 0), "make", "product_shot"),
        ),
    ),
    Template(
        "Nano Banana 2 - several takes compared",
        texts.TAKES,
        (360, 400),
        (
            _text("one", (420, 0), "A lighthouse on a cliff at dusk, long exposure", aspect_ratio="4:5"),
            _text(
                "other", (420, 600), "A lighthouse on a cliff at dusk, long exposure", aspect_ratio="4:5", seed=8
            ),
            Node(
                "both",
                "ImageStitch",
                (900, 0),
                (320, 200),
                ("right", True, 16, "white"),
                {"image1": ("one", 0), "image2": ("other", 0)},
            ),
            _save((1280, 0), "both", "takes"),
        ),
    ),
    Template(
        "Nano Banana Pro - edit an image",
        texts.EDIT,
        NOTE,
        (
            _load("image", (0, 380)),
            _edit(
                "edit",
                (420, 0),
                "Turn this drawing into a hand-made felt doll on a green hill, photographed in soft daylight. "
                "Keep the "
                "pose, the colours and the clouds.",
                {"image_1": ("image", 0)},
            ),
            _save((900, 0), "edit", "edit"),
        ),
    ),
    Template(
        "Nano Banana Pro - several references",
        texts.REFERENCES,
        (360, 360),
        (
            _load("character", (0, 420), "Image 1: the character"),
            Node(
                "face",
                "ImageCrop",
                (420, 400),
                (320, 155),
                (320, 240, 224, 128),
                {"image": ("character", 0)},
                "Image 2: her face",
            ),
            Node(
                "colour", "EmptyImage", (420, 615), (320, 155), (512, 128, 1, 14254635), title="Image 3: a colour"
            ),
            _edit(
                "edit",
                (800, 0),
                "Draw the character of image 1 as a watercolour for a children's book. Take the smile from image "
                "2, and "
                "give the dress the colour of image 3.",
                {"image_1": ("character", 0), "image_2": ("face", 0), "image_3": ("colour", 0)},
            ),
            _save((1280, 0), "edit", "several_references"),
        ),
    ),
    Template(
        "Nano Banana 2 - list of prompts",
        texts.LIST,
        (360, 440),
        (
            Node(
                "prompts",
                "RunComfyPrompts",
                (0, 500),
                (360, 260),
                {
                    "prompts": "A red fox in fresh snow, morning light\n"
                    "A lighthouse on a cliff in a storm\n"
                    "A night market after rain, neon reflections\n"
                    "A desert road under the milky way"
                },
            ),
            _text("make", (420, 0), "", {"prompt": ("prompts", 0)}, aspect_ratio="1:1", on_failure="skip"),
            _save((900, 0), "make", "list_of_prompts"),
        ),
    ),
    Template(
        "Nano Banana Pro - character sheet",
        texts.CHARACTER,
        NOTE,
        (
            _load("image", (0, 380), "The character"),
            _edit(
                "edit",
                (420, 0),
                "Character sheet of the character of image 1 on plain paper: from the front, from the left and "
                "from the "
                "right, the same dress and colours, the same height",
                {"image_1": ("image", 0)},
                aspect_ratio="16:9",
            ),
            _save((900, 0), "edit", "character_sheet"),
        ),
    ),
    Template(
        "Nano Banana Pro - style transfer",
        texts.STYLE,
        (360, 340),
        (
            _load("image", (0, 400), "Image 1: what is shown"),
            _text(
                "style",
                (420, 0),
                "Woodblock print of a harbour in the evening, few colours, strong outlines, paper grain",
                aspect_ratio="1:1",
            ),
            _edit(
                "edit",
                (900, 0),
                "Show image 1 in the style of image 2: the same colours, outlines and paper.",
                {"image_1": ("image", 0), "image_2": ("style", 0)},
                aspect_ratio="1:1",
            ),
            _preview("seen", (420, 600), "style"),
            _save((1380, 0), "edit", "style_transfer"),
        ),
    ),
    Template(
        "Nano Banana 2 into Pro - edit by address",
        texts.BY_ADDRESS,
        (420, 260),
        (
            _text("make", (0, 320), FOX),
            _preview("seen", (480, 0), "make"),
            Node("address", "PreviewAny", (480, 480), (420, 170), (), {"source": ("make", 1)}),
            _edit(
                "edit",
                (960, 0),
                "Make it winter: fresh snow on the rock, the waterfall half frozen. Leave the fox as it is.",
                {"image_urls": ("make", 1)},
            ),
            _save((1440, 0), "edit", "edit_by_address"),
        ),
    ),
    Template(
        "Nano Banana 2 into Pro - chain of edits",
        texts.CHAIN,
        (420, 300),
        (
            _text("make", (0, 360), "A quiet harbour on a grey morning, small boats, film photograph"),
            _edit("dusk", (480, 0), "Make it dusk, with lights on the boats.", {"image_urls": ("make", 1)}),
            _edit("snow", (960, 0), "Let it snow on the boats and the quay.", {"image_urls": ("dusk", 1)}),
            _preview("seen", (480, 740), "make"),
            _preview("seen_too", (960, 740), "dusk"),
            _save((1440, 0), "snow", "chain"),
        ),
    ),
    Template(
        "Nano Banana - collect a paid job",
        texts.COLLECT,
        (360, 380),
        (
            Node("collect", COLLECT, (420, 0), (420, 200), {"request_id": ""}),
            _save((900, 0), "collect", "collected"),
        ),
    ),
)
