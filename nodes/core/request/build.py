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
from ..media.encode import DoesNotFit, Encoded, bytes_in_uri, fair_limit, length_of_base64
from ..media.file_type import IMAGE
from ..media.inputs import Content, input_medium
from ..schema.inputs import Socket
from ..schema.kind import Given
from ..schema.model import Limits, ModelSpec
from ..schema.own import RERUN_SEED
from ..store.job import NewJob
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
    sockets = [(field.name, socket) for field in spec.fields for socket in field.sockets]
    linked = [(name, socket) for name, socket in sockets if values.get(socket.name) is not None]
    counts = {one.name: input_medium(one.medium).count(one.name, values[one.name]) for _, one in linked}
    unlinked = {socket.name for _, socket in sockets}
    widgets = {name: value for name, value in values.items() if name not in unlinked}
    # Counted before they are read: a long video on a socket would take all the memory first.
    arguments = check(spec, Given(widgets, counts, local_origin))
    found = [
        (field, socket.name, content, _limit(spec.limits, socket))
        for field, socket in linked
        for content in _read(spec.limits, socket, values[socket.name])
    ]
    _check_together(found, spec.limits)
    hashes = threads.CODING.map(_hash, (content for _, _, content, _ in found))
    return arguments, [
        Reference(field, name, content, digest, limit)
        for (field, name, content, limit), digest in zip(found, hashes, strict=True)
    ]


def _limit(limits: Limits, socket: Socket) -> int:
    """Return how many bytes one file of a socket may have: ours and the model's own limit."""
    return min(limits.of(socket.medium), socket.rules.max_bytes or limits.request_bytes)


def _read(limits: Limits, socket: Socket, value: object) -> Sequence[Content]:
    """Read what came over a socket, and check it against the model's rules about such files."""
    contents = input_medium(socket.medium).read(socket.name, value, _limit(limits, socket))
    for content in contents:
        broken = socket.rules.broken(*content.size) if content.size else None
        if broken and content.size:
            width, height = content.size
            raise InvalidInput(socket.name, "file_rule", rule=str(broken), width=width, height=height)
    return contents


def _check_together(found: Sequence[tuple[str, str, Content, int]], limits: Limits) -> None:
    """Refuse files that cannot be made smaller, before the whole of them is read."""
    together = 0
    for _, socket, content, _ in found:
        together += length_of_base64(content.least_bytes)
        if together > limits.request_bytes:
            raise InvalidInput(socket, "references_too_large", limit_bytes=limits.request_bytes)


def build_request(
    arguments: Arguments,
    references: Sequence[Reference],
    encoder: Encoder,
    journal: Journal,
    base_url: str,
    account: str,
    price: float | None,
) -> Request:
    """Make the request of checked inputs. ``price`` is the base price of one output, in USD. Blocking."""
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
    )
    pixels = count * _pixels_of(arguments.role("size"))
    return Request(new_job, count, pixels, partial(prepare, arguments, references, encoder), spec.output_kind)


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
    encoded = _encoded(references, [encoder.start(reference, reference.limit) for reference in references])
    # Three characters stand around each address: two quotes and a comma.
    room = limits.request_bytes - other_bytes - 3 * len(encoded)
    room -= sum(file.uri_length for file in encoded if file.medium != IMAGE)
    share = fair_limit([file.uri_length for file in encoded if file.medium == IMAGE], room)
    if share is None and room >= 0:
        return encoded
    if share is None or share < _SHARE_STEP:
        raise InvalidInput(references[0].socket, "references_too_large", limit_bytes=limits.request_bytes)
    # In steps, so that another prompt, of about the same length, finds the encodings of this one.
    fitting = bytes_in_uri(share // _SHARE_STEP * _SHARE_STEP)
    return _encoded(
        references,
        [
            file
            if file.medium != IMAGE or file.uri_length <= share
            else encoder.start(reference, fitting, None if file.original else file)
            for reference, file in zip(references, encoded, strict=True)
        ],
    )


def _encoded(references: Sequence[Reference], encodings: Sequence[Encoded | Future[Encoded]]) -> list[Encoded]:
    files = []
    for reference, encoding in zip(references, encodings, strict=True):
        try:
            files.append(encoding if isinstance(encoding, Encoded) else encoding.result())
        except DoesNotFit as reason:
            raise _does_not_fit(reference.socket, reason) from None
        except OSError as error:
            raise InvalidInput(reference.socket, "media_unreadable", error=type(error).__name__) from None
    return files


def _does_not_fit(socket: str, reason: DoesNotFit) -> InvalidInput:
    if reason.found is None:
        return InvalidInput(socket, "image_does_not_fit", limit_bytes=reason.limit)
    return InvalidInput(socket, "media_too_large", found_bytes=reason.found, limit_bytes=reason.limit)


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
    if file.original or file.medium != IMAGE:
        key = "sent.as_it_is" if file.original else "sent.encoded"
        return note(key, socket=reference.socket, type=file.format, bytes=len(file.data))
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
