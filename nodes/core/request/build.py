"""From the inputs of a node to a request: checked, identified by its content, and encoded when it is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

from .. import threads
from ..errors import InvalidInput
from ..media.encode import DoesNotFit, Encoded, bytes_in_uri, fair_limit
from ..media.pixels import check_batch, content_hash, to_pixels
from ..schema.model import Limits, ModelSpec
from ..store.job import NewJob
from ..store.journal import Journal
from ..texts import Note, note
from .encode_once import Encoder, Reference
from .request import EncodedRequest, Request
from .validate import Arguments, check, check_reference_count

_SHARE_STEP = 1024


def check_inputs(
    spec: ModelSpec, values: Mapping[str, object], local_origin: str | None
) -> tuple[Arguments, list[Reference]]:
    """Check every input of a node before anything is spent.

    Raises:
        InvalidInput: naming the field or the socket.
    """
    sockets = spec.images.sockets if spec.images else ()
    arguments = check(spec, {name: value for name, value in values.items() if name not in sockets}, local_origin)
    batches = {socket: check_batch(socket, values[socket]) for socket in sockets if values.get(socket) is not None}
    # Counted before they are converted: a long video on a socket would take all the memory first.
    check_reference_count(spec, sum(map(len, batches.values())) + len(arguments.reference_urls))
    images = [(socket, pixels) for socket, batch in batches.items() for pixels in to_pixels(socket, batch)]
    contents = threads.CODING.map(content_hash, (pixels for _, pixels in images))
    return arguments, [Reference(*image, content) for image, content in zip(images, contents, strict=True)]


def build_request(
    arguments: Arguments,
    references: Sequence[Reference],
    encoder: Encoder,
    journal: Journal,
    base_url: str,
    account: str,
    price: Callable[[int], float | None],
) -> Request:
    """Make the request of checked inputs. ``price`` is the base price of a number of images, in USD. Blocking."""
    spec = arguments.spec
    body = arguments.body([reference.content for reference in references])
    content = {"model": spec.model_id, "body": body, "rerun_seed": arguments.rerun_seed}
    wanted = arguments.scalars.get("num_images", 1)
    images_wanted = wanted if isinstance(wanted, int) else 1
    new_job = NewJob(
        fingerprint=journal.fingerprint(base_url, content),
        account=account,
        model_id=spec.model_id,
        size=str(arguments.scalars.get("resolution", "")),
        count=images_wanted,
        base_price=price(images_wanted),
        former_fingerprints=journal.former_fingerprints(content),
    )
    pixels = images_wanted * _pixels_of(arguments.scalars.get("resolution"))
    return Request(new_job, images_wanted, pixels, partial(prepare, arguments, references, encoder))


def prepare(arguments: Arguments, references: Sequence[Reference], encoder: Encoder) -> EncodedRequest:
    """Encode the references so that the whole request fits, and write its JSON. Blocking.

    Raises:
        InvalidInput: the inputs do not fit into one request.
    """
    encoded = encode_all(references, arguments.spec.limits, len(_json(arguments.body(()))), encoder)
    return EncodedRequest(_json(arguments.body(encoded)), tuple(map(_sent, references, encoded)))


def encode_all(
    references: Sequence[Reference], limits: Limits, other_bytes: int, encoder: Encoder
) -> list[Encoded]:
    """Encode each reference as well as its own limit and its fair share of the request allow.

    ``other_bytes`` is the length of the request without them. Order is kept.

    Raises:
        InvalidInput: naming what takes too much.
    """
    if other_bytes > limits.request_bytes:
        raise InvalidInput("prompt", "request_too_long", limit_bytes=limits.request_bytes)
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
        case list():
            return b"[" + b",".join(map(_json, value)) + b"]"
    return json.dumps(value).encode("ascii")


def _sent(reference: Reference, image: Encoded) -> Note:
    """Say how a reference travels."""
    height, width = reference.pixels.shape[:2]
    told = note(
        "sent.lossless" if image.quality is None else "sent.lossy",
        socket=reference.socket,
        format=image.format,
        quality=image.quality,
        width=image.width,
        height=image.height,
        bytes=len(image.data),
    )
    if (width, height) == (image.width, image.height):
        return told
    return note("sent.smaller", sent=told, socket=reference.socket, original_width=width, original_height=height)
