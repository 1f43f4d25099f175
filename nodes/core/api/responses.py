"""Answers of the API -> typed states and errors. Pure; accepts every form that is documented or was seen.

Codes and forms are those of the vendor's API pages and clients: ``completed`` or ``succeeded``, ``image`` or
``images`` (``video``, ``audio`` likewise) or a bare string or list, errors by HTTP status, by code, or by a code
inside HTTP 200.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from ..errors import (
    InsufficientBalance,
    NotFound,
    OtherAccount,
    ProtocolError,
    RateLimited,
    Rejected,
    ServerFault,
    StatusError,
    Unauthorized,
)
from ..money import Price

MAX_REASON = 500
NOT_FINISHED = 400005
# Smaller numbers are no codes of this API; some bodies repeat the HTTP status under the same name.
_LEAST_CODE = 1000
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_QUEUED = frozenset({"in_queue", "pending", "waiting"})
_RUNNING = frozenset({"in_progress", "starting", "processing"})
_SUCCEEDED = frozenset({"completed", "succeeded"})
_CANCELLED = frozenset({"cancelled", "canceled"})
# Python 3.10 reads neither "Z" nor any number of decimals.
_ISO_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))?\s*(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE
)
# As seconds, this is the year 5138; as milliseconds, 1973.
_MOST_USD = 1e9
_LEAST_MILLISECONDS = 1e11
MEDIA = ("image", "video", "audio")
_REASON_KEYS = ("error_message", "message", "error", "detail", "reason", "msg")


@dataclass(frozen=True)
class Queued:
    """Waiting for a worker. ``position`` is the queue position, where it is told."""

    position: int | None = None


@dataclass(frozen=True)
class Running:
    """Being worked on: it can no longer be cancelled and will be charged."""


@dataclass(frozen=True)
class HostedFile:
    """A file of a result that is fetched from an address.

    ``medium`` is what the answer calls it, '' where it does not tell; the file itself may be of another.
    """

    url: str
    medium: str = field(default="", compare=False)


@dataclass(frozen=True)
class InlineFile:
    """A file of a result that came in the answer, as a data URI: what stands before its comma, and behind it."""

    media_type: str
    payload: str = field(repr=False)
    medium: str = field(default="", compare=False)


@dataclass(frozen=True)
class UnreadFile:
    """Something of a result that is there and is not understood: paid for, so it is never taken for nothing."""

    medium: str = field(default="", compare=False)


ResultFile: TypeAlias = HostedFile | InlineFile | UnreadFile


@dataclass(frozen=True)
class Succeeded:
    """Finished. ``files`` are in order; ``cost`` is in USD where it is told.

    ``seconds`` is how long it took by the provider's own clock, from its acceptance to its end, where that is told.
    """

    files: tuple[ResultFile, ...] = ()
    cost: float | None = None
    seconds: float | None = None

    @property
    def readable(self) -> bool:
        """Whether any of the files is understood."""
        return any(not isinstance(file, UnreadFile) for file in self.files)

    def of_medium(self, medium: str) -> Succeeded:
        """Return the same with the files of one medium alone, where it has any: a video may come with an image."""
        chosen = replace(self, files=tuple(file for file in self.files if file.medium in (medium, "")))
        return chosen if chosen.readable else self


@dataclass(frozen=True)
class Failed:
    """Ended by the provider without a result."""

    reason: str | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Cancelled:
    """Cancelled while it was queued."""


State: TypeAlias = Queued | Running | Succeeded | Failed | Cancelled


class CancelOutcome(Enum):
    """What the API says of a cancel."""

    CANCELLED = "cancelled"
    NOT_CANCELLABLE = "not_cancellable"
    REQUESTED = "cancellation_requested"


def parse_request_id(payload: object) -> str:
    """Return the id of an accepted job.

    Raises:
        ProtocolError: there is none, or it has characters that no id has.
    """
    found = find_request_id(payload)
    if found is None:
        raise ProtocolError("no_request_id")
    return found


def find_request_id(payload: object) -> str | None:
    """Return the request id that an answer names, or None."""
    found = told(payload, "request_id")
    return found if is_request_id(found) else None


def is_request_id(value: object) -> bool:
    """Whether the value may stand in the path of a request's URL."""
    return isinstance(value, str) and _REQUEST_ID.fullmatch(value) is not None


def told(payload: object, name: str) -> str:
    """Return a text that an answer holds under a name, '' where it holds none."""
    found = payload.get(name) if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) else ""


def parse_state(payload: object) -> State:
    """Read an answer of status or of result.

    Raises:
        ProtocolError: no state, or one that is not known; the message names it.
    """
    status = payload.get("status") if isinstance(payload, Mapping) else None
    if not isinstance(payload, Mapping) or not isinstance(status, str):
        raise ProtocolError("no_state")
    if status in _QUEUED:
        return Queued(_position(payload.get("queue_position")))
    if status in _RUNNING:
        return Running()
    if status in _SUCCEEDED:
        seconds = parse_seconds(payload.get("created_at"), payload.get("finished_at"))
        return Succeeded(parse_files(payload.get("output")), parse_usd(payload.get("cost")), seconds)
    if status == "failed":
        return Failed(find_reason(payload), parse_usd(payload.get("cost")))
    if status in _CANCELLED:
        return Cancelled()
    raise ProtocolError("unknown_state", state=clean(status)[:60], may_repeat=False)


def parse_files(output: object) -> tuple[ResultFile, ...]:
    """Return the files of an ``output``: ``image(s)``, ``video(s)``, ``audio(s)``, a bare string, or a bare list.

    An address that is told twice is one file. What else holds an address, and what is neither empty nor one of
    these forms, is one file that is not read.
    """
    if not isinstance(output, Mapping):
        return _files(output)
    files = _without_repeated(file for medium in MEDIA for file in _of_medium(output, medium))
    known = any(name in output for medium in MEDIA for name in (f"{medium}s", medium))
    strange = _holds_address(output) if known else bool(output)
    return files or ((UnreadFile(),) if strange else ())


def parse_cancel(payload: object) -> CancelOutcome:
    """Read the answer to a cancel; without an outcome, the state decides. An empty answer is that of a job at work.

    Raises:
        ProtocolError: neither can be read.
    """
    if payload == {}:
        return CancelOutcome.NOT_CANCELLABLE
    outcome = told(payload, "outcome").replace("canceled", "cancelled")
    ended = told(payload, "status") in _CANCELLED
    if outcome == CancelOutcome.CANCELLED.value or (ended and outcome == CancelOutcome.REQUESTED.value):
        return CancelOutcome.CANCELLED
    for known in CancelOutcome:
        if outcome == known.value:
            return known
    return CancelOutcome.CANCELLED if isinstance(parse_state(payload), Cancelled) else CancelOutcome.NOT_CANCELLABLE


def parse_price(payload: object) -> Price | None:
    """Return the base price of a catalog entry, or None where it cannot be read."""
    if not isinstance(payload, Mapping):
        return None
    usd = parse_usd(payload.get("base_price_usd"))
    unit = payload.get("price_unit")
    return None if usd is None else Price(usd, unit if isinstance(unit, str) else "output")


@dataclass(frozen=True)
class CatalogPage:
    """Some entries of the catalog, unread; ``total`` is how many there are in all, None where that is not told."""

    entries: Sequence[object]
    total: int | None = None


def parse_catalog(payload: object) -> CatalogPage:
    """Return the entries of an answer.

    Raises:
        ProtocolError: there is no list of them.
    """
    found = payload.get("models") if isinstance(payload, Mapping) else payload
    if not isinstance(found, list):
        raise ProtocolError("catalogue_unreadable", may_repeat=False)
    total = payload.get("total") if isinstance(payload, Mapping) else None
    return CatalogPage(found, total if type(total) is int else None)


def parse_balance(payload: object) -> float:
    """Return the balance in USD, which may be negative.

    Raises:
        ProtocolError: there is none.
    """
    usd = _number(payload.get("balance_usd")) if isinstance(payload, Mapping) else None
    if usd is None or abs(usd) > _MOST_USD:
        raise ProtocolError("no_balance")
    return usd


def parse_usd(value: object) -> float | None:
    """Return an amount of USD, or None for anything that is not a number of 0 to ``_MOST_USD``.

    What is more would be no price, and one such cost would use up every budget.
    """
    usd = _amount(value)
    return usd if usd is not None and usd <= _MOST_USD else None


def parse_seconds(start: object, end: object) -> float | None:
    """Return the seconds between two times, or None where one cannot be read or the second is not the later one.

    Times are ISO 8601 (UTC where no zone is told), or numbers: seconds or milliseconds since 1970.
    """
    started, ended = _unix_time(start), _unix_time(end)
    return ended - started if started is not None and ended is not None and ended > started else None


def find_error(status: int, payload: object, headers: Mapping[str, str] | None = None) -> StatusError | None:
    """Return the error of an answer, or None when it is none.

    An answer of HTTP 200 is an error where it has an ``error_code`` and no state of a job.
    """
    code = _code(payload)
    if 200 <= status < 300 and not (code and not _has_state(payload)):
        return None
    reason = find_reason(payload)
    error, kind = _classify(status, code)
    return error(kind, status=status, code=code, reason=reason, headers=headers)


def find_reason(payload: object, depth: int = 0) -> str | None:
    """Return the provider's own words: a string, an object's message, or a list of validation problems."""
    if isinstance(payload, str):
        return clean(payload)[:MAX_REASON] or None
    if depth > 3:
        return None
    if isinstance(payload, list):
        parts = [part for part in (_problem(item, depth) for item in payload[:10]) if part]
        return "; ".join(parts)[:MAX_REASON] or None
    if isinstance(payload, Mapping):
        return next((text for key in _REASON_KEYS if (text := find_reason(payload.get(key), depth + 1))), None)
    return None


def clean(text: str) -> str:
    """Put a text of the provider on one line: control characters and runs of spaces become one space."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _classify(status: int, code: int) -> tuple[type[StatusError], str]:
    match code:
        case 400001:
            return NotFound, "model_unknown"
        case 400002:
            return InsufficientBalance, "balance_empty"
        case 400004 | 401001:
            return Unauthorized, "token_refused"
        case 403001:
            return OtherAccount, "other_account"
        case 404001:
            return NotFound, "request_unknown"
    if status == 402:
        return InsufficientBalance, "balance_empty"
    if status in (401, 403):
        return Unauthorized, "token_refused"
    if status == 404:
        return NotFound, "not_known"
    if status == 413:
        return Rejected, "request_too_large"
    if status == 429:
        return RateLimited, "rate_limited"
    if 500000 <= code < 600000:
        return ServerFault, "api_failed"
    if 400 <= status < 500 or 400000 <= code < 500000:
        return Rejected, "input_refused"
    if 300 <= status < 400:
        return ServerFault, "redirected"
    return ServerFault, "api_failed"


def _code(payload: object) -> int:
    if not isinstance(payload, Mapping):
        return 0
    for key in ("error_code", "code"):
        value = payload.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
            value = int(value)
        if type(value) is int and _LEAST_CODE <= value < 10**9:
            return value
    return 0


def _unix_time(value: object) -> float | None:
    if isinstance(value, str) and (iso := _ISO_TIME.fullmatch(value.strip())):
        return _iso_time(*iso.groups(default=""))
    seconds = _amount(value)
    return seconds if seconds is None or seconds < _LEAST_MILLISECONDS else seconds / 1000


def _amount(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _iso_time(moment: str, fraction: str, zone: str) -> float | None:
    zone = "+00:00" if zone in ("", "Z", "z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:] or '00'}"
    try:
        return datetime.fromisoformat(moment.replace(" ", "T") + zone).timestamp() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):
        return None


def _has_state(payload: object) -> bool:
    try:
        parse_state(payload)
    except ProtocolError:
        return False
    return True


def _position(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 10**9 else None


def _of_medium(output: Mapping[object, object], medium: str) -> tuple[ResultFile, ...]:
    """Return the files of one medium: of its list or, where nothing of that can be read, of its single name."""
    told = [_files(output[name], medium) for name in (f"{medium}s", medium) if name in output]
    return next((files for files in told if Succeeded(files).readable), None) or next(filter(None, told), ())


def _files(value: object, medium: str = "") -> tuple[ResultFile, ...]:
    items = value if isinstance(value, list) else [value]
    files = (_file(item, medium) for item in items if not _is_empty(item))
    return _without_repeated(files)


def _without_repeated(files: Iterator[ResultFile]) -> tuple[ResultFile, ...]:
    """Leave out an address that was told before."""
    found: list[ResultFile] = []
    for file in files:
        if file not in found or not isinstance(file, HostedFile):
            found.append(file)
    return tuple(found)


def _file(item: object, medium: str) -> ResultFile:
    address = item.get("url") if isinstance(item, Mapping) else item
    if not isinstance(address, str) or not address:
        return UnreadFile(medium)
    if not address.startswith("data:"):
        return HostedFile(address, medium)
    media_type, _, payload = address.removeprefix("data:").partition(",")
    return InlineFile(media_type, payload, medium)


def _is_empty(value: object) -> bool:
    """Whether nothing is there."""
    return all(leaf in (None, "", False) for leaf in _leaves(value))


def _holds_address(value: object) -> bool:
    return any(isinstance(leaf, str) and leaf.startswith(("https:", "http:", "data:")) for leaf in _leaves(value))


def _leaves(value: object) -> Iterator[object]:
    """Yield what is in objects and lists, however deep."""
    inside = [value]
    while inside:
        match inside.pop():
            case dict() as members:
                inside += members.values()
            case list() as items:
                inside += items
            case leaf:
                yield leaf


def _problem(item: object, depth: int) -> str | None:
    text = find_reason(item, depth + 1)
    where = item.get("loc") if isinstance(item, Mapping) else None
    if text and isinstance(where, list):
        return f"{clean('.'.join(str(part) for part in where))}: {text}"
    return text
