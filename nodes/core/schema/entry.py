"""An entry of the catalogue -> the document of a model file. Pure.

Names follow from the model's id, roles and order from what properties are usually called. What comes of it is data
that a person may correct before the model is published: afterwards names and order are for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .document import JSON, Document, schema_hash
from .media import medium_of
from .names import MAX_ID, MODEL_ID, node_id_of, stem_of

SUFFIX = " (RunComfy)"
LIMITS = {"image_bytes": 6 * 2**20, "request_bytes": 64 * 2**20}
_OUTPUTS = ("image", "video", "audio")

# What a property is for, by what it is called: the first of these names that a schema has.
_ROLES: Mapping[str, Sequence[str]] = {
    "prompt": ("prompt", "text", "tags"),
    "count": ("num_images", "number_of_images", "max_images", "num_outputs", "n"),
    "size": ("resolution", "image_size", "size"),
    "width": ("width",),
    "height": ("height",),
    "shape": ("aspect_ratio", "ratio", "target_aspect_ratio"),
    "duration": ("duration",),
    "duration_ms": ("music_length_ms",),
    "seed": ("seed",),
    "mask": ("mask", "mask_url", "mask_image", "mask_image_url"),
    "format": ("output_format",),
    "inline": ("sync_mode",),
}
# The order of a node: what people write, then files, the required ones first, then what they change most. Files of
# one medium stand in the order of ``_FILES``.
_TEXTS = ("prompt", "text", "tags", "lyrics", "negative_prompt")
_MEDIA = ("image", "mask", "video", "audio")
_FILES = ("image", "start_image", "first_frame", "last_frame", "last_image", "end_image")
_THEN = (
    *("aspect_ratio", "ratio", "target_aspect_ratio", "size", "image_size", "resolution", "width", "height"),
    *("duration", "music_length_ms", "fps", "num_images", "number_of_images", "max_images", "n", "quality"),
    *("generate_audio", "enable_audio", "sound", "voice"),
    *("start_time", "start_time_relative_to", "end_time", "end_time_relative_to", "seed"),
)
_PROSE = re.compile(r"(.*_)?prompt|text|tags|lyrics")
# Few people change these, and they cost nothing.
_RARE = (
    *("safety_tolerance", "enable_safety_checker", "limit_generations", "sync_mode", "watermark"),
    *("prompt_extend", "enable_prompt_expansion", "enhance_prompt", "cfg_scale", "guidance_scale", "sample_rate"),
)
_NUMBER = re.compile(r"(\d+)")
_MAX_SENTENCE = 300
_TASK = re.compile(r"(text|image|video|audio|reference)-to-(image|video|audio)")

_MAKERS = {
    "acestep-ai": "ACE-Step",
    "blackforestlabs": "Black Forest Labs",
    "bytedance": "ByteDance",
    "elevenlabs": "ElevenLabs",
    "ideogram-ai": "Ideogram",
    "minimax": "MiniMax",
    "openai": "OpenAI",
    "runwayml": "Runway",
    "tongyi-mai": "Tongyi-MAI",
    "wan-ai": "Wan",
}
_WORDS = {
    **{"ace": "ACE", "gpt": "GPT", "flux": "FLUX", "ltx": "LTX", "h3": "H3", "o3": "O3", "4k": "4K", "to": "to"},
    **{"minimax": "MiniMax", "happyhorse": "HappyHorse", "pixverse": "PixVerse", "elevenlabs": "ElevenLabs"},
    **{"lora": "LoRA", "controlnet": "ControlNet", "omnihuman": "OmniHuman", "lipsync": "LipSync"},
}


def model_document(
    entry: Mapping[str, JSON], read_on: str, conditions: Sequence[Mapping[str, JSON]] = ()
) -> dict[str, JSON]:
    """Return the document of a model file, for an entry as the catalogue writes it.

    ``model_id`` and ``input_schema`` are taken from it; ``display_name``, ``description`` and ``categories`` where
    they are there. ``read_on`` is a date. Whether the document can be used, ``parse_model`` tells.

    Raises:
        SchemaError: the entry has no usable id, schema, or kind of output.
    """
    told = Document(entry)
    model_id, schema = told.text("model_id"), told.object("input_schema")
    if len(model_id) > MAX_ID or not MODEL_ID.fullmatch(model_id):
        raise told.fault("model_id", "not an id")
    properties = schema.object("properties")
    roles = _roles(properties)
    medium = medium_of_output(entry)
    output = "image_with_mask" if medium == "image" and _can_be_transparent(properties) else medium
    display_name = name_of(entry)
    category = f"RunComfy/{medium.capitalize()}/{maker_of(model_id)}"
    description = _line(told.text("description", "")) or f"{display_name}, hosted by RunComfy."
    return {
        "model_id": model_id,
        "node_id": node_id_of(model_id),
        "display_name": f"{display_name}{SUFFIX}",
        "category": category,
        "description": f"{description} Each run is one paid job.",
        "search_aliases": _aliases(model_id, category),
        "output": output,
        "limits": LIMITS,
        "roles": roles,
        "order": _order(properties, schema.texts("required", ()), roles),
        "prose": [name for name in properties if _is_prose(name, properties.object(name))],
        **_rare(properties, schema.texts("required", ())),
        **({"conditions": list(conditions)} if conditions else {}),
        "schema_sha256": schema_hash(entry["input_schema"]),
        "read_on": read_on,
        "input_schema": entry["input_schema"],
    }


def name_of(entry: Mapping[str, JSON]) -> str:
    """Return what people call the model of an entry."""
    told = Document(entry)
    return told.text("display_name", "") or _title(told.text("model_id").split("/")[1:])


def maker_of(model_id: str) -> str:
    """Return who makes a model."""
    maker = model_id.partition("/")[0]
    return _MAKERS.get(maker, _title([maker]))


def medium_of_output(entry: Mapping[str, JSON]) -> str:
    """Return what a model makes: the word that its categories end in.

    Raises:
        SchemaError: it is none of image, video and audio.
    """
    output = next((category.rpartition("-")[2] for category in _categories(entry)), None)
    if output is None:
        raise Document(entry).fault("categories", f"none ends in one of {', '.join(_OUTPUTS)}")
    return output


def task_of(entry: Mapping[str, JSON]) -> str:
    """Return what a model does, as its category says it: text-to-image."""
    return next(iter(_categories(entry)), "")


def file_name_of(model_id: str) -> str:
    """Return the path of a model's file in the folder of models: ``maker/model-task.json``."""
    maker, _, name = model_id.partition("/")
    return f"{maker}/{name.replace('/', '-')}.json"


def _roles(properties: Document) -> dict[str, str]:
    found = {role: next((name for name in names if name in properties), "") for role, names in _ROLES.items()}
    return {role: name for role, name in found.items() if name}


def _rare(properties: Document, required: Sequence[str]) -> dict[str, JSON]:
    found = [name for name in properties if name in _RARE and name not in required]
    return {"rare": [*found]} if found else {}


def _categories(entry: Mapping[str, JSON]) -> list[str]:
    """Return the categories that tell what comes out."""
    found = Document(entry).texts("categories", ())
    return [category for category in found if category.rpartition("-")[2] in _OUTPUTS]


def _can_be_transparent(properties: Document) -> bool:
    """Whether images without a background can be asked for."""
    return "background" in properties and "transparent" in properties.object("background").texts("enum", ())


def _order(properties: Document, required: Sequence[str], roles: Mapping[str, str]) -> list[str]:
    """Return the order of the widgets."""

    def place(name: str) -> tuple[object, ...]:
        if name in _TEXTS:
            return 0, _TEXTS.index(name)
        medium = medium_of(properties.object(name), "mask" if name == roles.get("mask") else "")
        if medium:
            parts = tuple(_part(part) for part in _NUMBER.split(name))
            return 1, name not in required, _MEDIA.index(medium.name), _place(_FILES, stem_of(name)), parts
        return 2, _place(_THEN, name)

    return sorted(properties, key=place)


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _part(part: str) -> tuple[int, int, str]:
    """Return a part of a name so that ``image_10`` stands behind ``image_9``."""
    return (1, int(part), "") if part.isdecimal() else (0, 0, part)


def _is_prose(name: str, schema: Document) -> bool:
    return schema.get("type") == "string" and "enum" not in schema and bool(_PROSE.fullmatch(name))


def _title(segments: Sequence[str]) -> str:
    words = [word for segment in segments for word in segment.split("-") if word]
    return " ".join(_WORDS.get(word, word[:1].upper() + word[1:]) for word in words)


def _line(text: str) -> str:
    """Return the first sentence of a description, as one line that ends."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    sentence = line.partition(". ")[0][:_MAX_SENTENCE].rstrip(".")
    return f"{sentence}." if sentence else ""


def _aliases(model_id: str, category: str) -> list[str]:
    """Return the words that people search by: the maker, the model, the task and its abbreviation."""
    maker, *segments = model_id.split("/")
    words = [maker, category.rpartition("/")[2].lower(), *(segment.replace("-", " ") for segment in segments)]
    for found in _TASK.finditer(model_id):
        words.append(f"{found[1][0]}2{found[2][0]}")
    return list(dict.fromkeys(words))
