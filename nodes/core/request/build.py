"""From the inputs of a node to a request: checked, identified by its content, and encoded when it is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from .. import threads
from ..errors import InvalidInput
from ..media.encode import DoesNotFit, Encoded, bytes_in_uri, fair_limit, length_of_base64
from ..media.file_type import IMAGE
from ..media.inputs import Content, InputMedium, input_medium
from ..money import Price
from ..schema.inputs import Socket
from ..schema.kind import Given
from ..schema.media import FileRules
from ..schema.model import Limits, ModelSpec
from ..schema.own import RERUN_SEED
from ..store.job import JobInputs, NewJob
from ..store.journal import Journal
from ..texts import Note, note
from . import sizes
from .encode_once import Encoder, Reference
from .request import EncodedRequest, Request
from .validate import Arguments, check

T = TypeVar("T")

_SHARE_STEP = 1024


def check_values(spec: ModelSpec, values: Mapping[str, object], local_origin: str | None) -> Arguments:
    """Check every input of a node but what its references hold, which takes no time and no memory.

    Raises:
        InvalidInput: naming the field or the socket.
    """
    sockets = [one.name for field in spec.fields for one in field.sockets]
    media = _media(spec, values)
    counts = {socket.name: medium.count(socket.name, values[socket.name]) for _, socket, medium in media}
    widgets = {name: value for name, value in values.items() if name not in sockets}
    return check(spec, Given(widgets, counts, local_origin))


def check_inputs(
    spec: ModelSpec, values: Mapping[str, object], local_origin: str | None
) -> tuple[Arguments, list[Reference]]:
    """Check every input of a node before anything is spent.

    Raises:
        InvalidInput: naming the field or the socket.
    """
    # Counted before they are read: a long video on a socket would take all the memory first.
    arguments = check_values(spec, values, local_origin)
    found = [
        (field, socket, content)
        for field, socket, medium in _media(spec, values)
        for content in medium.read(
            socket.name, values[socket.name], _limit(spec.limits, socket.medium, socket.rules)
        )
    ]
    _check_together([(socket.name, content) for _, socket, content in found], spec.limits)
    hashes = threads.CODING.map(_hash, (content for _, _, content in found))
    return arguments, [
        Reference(field, socket.name, content, digest, socket.medium, socket.rules)
        for (field, socket, content), digest in zip(found, hashes, strict=True)
    ]


def _check_together(found: Sequence[tuple[str, Content]], limits: Limits) -> None:
    """Refuse files that cannot be made smaller, before the whole of them is read."""
    together = 0
    for socket, content in found:
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
    price: Price | None,
    inputs: JobInputs | None = None,
) -> Request:
    """Make the request of checked inputs. Blocking.

    ``price`` is the catalogue's base price; ``inputs`` are to be kept beside the job.
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
        size=sizes.label(arguments),
        count=count,
        base_price=price.of(count, sizes.seconds(arguments)) if price else None,
        former_fingerprints=journal.former_fingerprints(content),
        kind=spec.output_kind,
        node_id=spec.node_id,
        take=journal.fingerprint(base_url, take_of(arguments, body)),
        inputs=inputs,
    )
    pixels = count * sizes.pixels(arguments)
    encode = partial(prepare, arguments, references, encoder)
    return Request(new_job, count, pixels, encode, spec.output_kind, str(arguments.role("shape") or ""))


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
    _require_rules(references, encoded)
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
    allowed = [_limit(limits, one.medium, one.rules) for one in references]
    encoded = _encoded(references, list(map(encoder.start, references, allowed)))
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


def _limit(limits: Limits, medium: str, rules: FileRules) -> int:
    """Return how many bytes a file may have: by the model file, and by what the schema asks of it."""
    own, most = limits.of(medium), rules.max_bytes
    return own if most is None else min(own, most)


def _require_rules(references: Sequence[Reference], encoded: Sequence[Encoded]) -> None:
    """Check the sizes of images as they would be sent.

    Raises:
        InvalidInput: naming the socket and the provider's rule.
    """
    for reference, file in zip(references, encoded, strict=True):
        rule = reference.rules.broken(file.width, file.height) if file.width and file.height else None
        if rule:
            size = {"width": file.width, "height": file.height}
            raise InvalidInput(reference.socket, "rule_broken", rule=str(rule), **size)


def _media(spec: ModelSpec, values: Mapping[str, object]) -> list[tuple[str, Socket, InputMedium]]:
    """Return the property of each socket that brought something, the socket, and what reads it."""
    return [
        (field.name, socket, input_medium(socket.reader or socket.medium))
        for field in spec.fields
        for socket in field.sockets
        if values.get(socket.name) is not None
    ]


def _hash(content: Content) -> str:
    return content.hash()


def _by_field(references: Sequence[Reference], files: Sequence[T]) -> dict[str, list[T]]:
    """Return what stands for each reference, by the property that it is sent in, in order."""
    found: dict[str, list[T]] = {}
    for reference, file in zip(references, files, strict=True):
        found.setdefault(reference.field, []).append(file)
    return found


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
