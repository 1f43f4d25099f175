"""From the inputs of a node to a request: checked, identified by its content, and encoded when it is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from .. import threads
from ..errors import InvalidInput
from ..media.encode import DoesNotFit, Encoded, bytes_in_uri, fair_limit
from ..media.inputs import Content, input_medium
from ..schema.kind import Given
from ..schema.model import Limits, ModelSpec
from ..schema.own import RERUN_SEED
from ..store.job import JobInputs, NewJob
from ..store.journal import Journal
from ..texts import Note, note
from .encode_once import Encoder, Reference
from .request import EncodedRequest, Request
from .validate import Arguments, check

T = TypeVar("T")

_SHARE_STEP = 1024


def check_inputs(
    spec: ModelSpec, values: Mapping[str, object], local_origin: str | None
) -> tuple[Arguments, list[Reference]]:
    """Check every input of a node before anything is spent.

    Raises:
        InvalidInput: naming the field or the socket.
    """
    sockets = {
        socket.name: (field.name, input_medium(socket.medium))
        for field in spec.fields
        for socket in field.sockets
        if values.get(socket.name) is not None
    }
    counts = {name: medium.count(name, values[name]) for name, (_, medium) in sockets.items()}
    unlinked = {one.name for field in spec.fields for one in field.sockets}
    widgets = {name: value for name, value in values.items() if name not in unlinked}
    # Counted before they are read: a long video on a socket would take all the memory first.
    arguments = check(spec, Given(widgets, counts, local_origin))
    found = [
        (field, name, content)
        for name, (field, medium) in sockets.items()
        for content in medium.read(name, values[name])
    ]
    hashes = threads.CODING.map(_hash, (content for _, _, content in found))
    return arguments, [Reference(*one, digest) for one, digest in zip(found, hashes, strict=True)]


def build_request(
    arguments: Arguments,
    references: Sequence[Reference],
    encoder: Encoder,
    journal: Journal,
    base_url: str,
    account: str,
    price: float | None,
    inputs: JobInputs | None = None,
) -> Request:
    """Make the request of checked inputs. Blocking.

    ``price`` is the base price of one output, in USD; ``inputs`` are to be kept beside the job.
    """
    spec = arguments.spec
    body = arguments.body(_by_field(references, [reference.hash for reference in references]))
    content = {"model": spec.model_id, "body": body, "rerun_seed": arguments.own.get(RERUN_SEED, 0)}
    wanted = arguments.role("count")
    count = wanted if isinstance(wanted, int) else 1
    new_job = NewJob(
        fingerprint=journal.fingerprint(base_url, content),
        account=account,
        model_id=spec.model_id,
        size=str(arguments.role("size") or ""),
        count=count,
        base_price=None if price is None else price * count,
        former_fingerprints=journal.former_fingerprints(content),
        kind=spec.output_kind,
        node_id=spec.node_id,
        take=journal.fingerprint(base_url, take_of(arguments, body)),
        inputs=inputs,
    )
    pixels = count * _pixels_of(arguments.role("size"))
    return Request(new_job, count, pixels, partial(prepare, arguments, references, encoder), spec.output_kind)


def take_of(arguments: Arguments, body: Mapping[str, object]) -> object:
    """Return what jobs have in common that differ in their seed alone; ``body`` holds hashes in place of files."""
    seed = arguments.spec.role("seed")
    same = {name: value for name, value in body.items() if seed is None or name != seed.name}
    return {"take": arguments.spec.model_id, "body": same}


def prepare(arguments: Arguments, references: Sequence[Reference], encoder: Encoder) -> EncodedRequest:
    """Encode the references so that the whole request fits, and write its JSON. Blocking.

    Raises:
        InvalidInput: the inputs do not fit into one request.
    """
    limits, without_files = arguments.spec.limits, arguments.body({})
    other_bytes = len(_json(without_files))
    if other_bytes > limits.request_bytes:
        longest = max(without_files, key=lambda name: len(_json(without_files[name])))
        raise InvalidInput(longest, "request_too_long", limit_bytes=limits.request_bytes)
    encoded = encode_all(references, limits, other_bytes, encoder)
    sent = tuple(map(_sent, references, encoded))
    return EncodedRequest(_json(arguments.body(_by_field(references, encoded))), sent)


def encode_all(
    references: Sequence[Reference], limits: Limits, other_bytes: int, encoder: Encoder
) -> list[Encoded]:
    """Encode each reference as well as its own limit and its fair share of the request allow.

    ``other_bytes`` is the length of the request without them. Order is kept.

    Raises:
        InvalidInput: naming what takes too much.
    """
    encoded = _encoded(references, [encoder.start(reference, limits.image_bytes) for reference in references])
    # Three characters stand around each address: two quotes and a comma.
    room = limits.request_bytes - other_bytes - 3 * len(encoded)
    share = fair_limit([image.uri_length for image in encoded], room)
    if share is None:
        return encoded
    if share < _SHARE_STEP:
        raise InvalidInput(references[0].socket, "references_too_large", limit_bytes=limits.request_bytes)
    # In steps, so that another prompt, of about the same length, finds the encodings of this one.
    fitting = bytes_in_uri(share // _SHARE_STEP * _SHARE_STEP)
    return _encoded(
        references,
        [
            image if image.uri_length <= share else encoder.start(reference, fitting, image)
            for reference, image in zip(references, encoded, strict=True)
        ],
    )


def _encoded(references: Sequence[Reference], encodings: Sequence[Encoded | Future[Encoded]]) -> list[Encoded]:
    images = []
    for reference, encoding in zip(references, encodings, strict=True):
        try:
            images.append(encoding if isinstance(encoding, Encoded) else encoding.result())
        except DoesNotFit as reason:
            raise InvalidInput(reference.socket, "image_does_not_fit", limit_bytes=reason.limit) from None
    return images


def _hash(content: Content) -> str:
    return content.hash()


def _by_field(references: Sequence[Reference], files: Sequence[T]) -> dict[str, list[T]]:
    """Return what stands for each reference, by the property that it is sent in, in order."""
    found: dict[str, list[T]] = {}
    for reference, file in zip(references, files, strict=True):
        found.setdefault(reference.field, []).append(file)
    return found


def _pixels_of(resolution: object) -> int:
    """Return about how many pixels an image has: "4K" is as many as 4096x4096 in every aspect ratio."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)K", str(resolution))
    return int((float(found[1]) * 1024) ** 2) if found else 0


def _json(value: object) -> bytes:
    """Write JSON. A data URI has nothing to escape; an encoder that looks for it would hold the interpreter."""
    match value:
        case Encoded():
            return b'"' + value.uri + b'"'
        case dict():
            return b"{" + b",".join(_json(key) + b":" + _json(item) for key, item in value.items()) + b"}"
        case list() | tuple():
            return b"[" + b",".join(map(_json, value)) + b"]"
    return json.dumps(value).encode("ascii")


def _sent(reference: Reference, file: Encoded) -> Note:
    """Say how a reference travels."""
    told = note(
        "sent.lossless" if file.quality is None else "sent.lossy",
        socket=reference.socket,
        format=file.format,
        quality=file.quality,
        width=file.width,
        height=file.height,
        bytes=len(file.data),
    )
    return reference.content.changed(told, file)
