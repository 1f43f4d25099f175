"""The retry rule: one pure function decides every repetition of a call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum

from ..errors import (
    AnswerLost,
    ConnectionFailed,
    FileGone,
    NotFound,
    PackError,
    ProtocolError,
    ServerFault,
    StatusError,
    Undecodable,
)

FIRST_DELAY = 0.5
MAX_DELAY = 15.0
MAX_RETRY_AFTER = 60.0
SUBMIT_ATTEMPTS = 6
RATE_LIMITED_ATTEMPTS = 20
FRESH_ATTEMPTS = 6
UNDECODABLE_ATTEMPTS = 3
_PASSING = frozenset({408, 425, 429})
# The API may tell this one with HTTP 400, too.
NO_SUCH_REQUEST = 404001


class Operation(Enum):
    """What a call is for: this, not its HTTP method alone, decides whether it may be repeated."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    STATUS = "status"
    RESULT = "result"
    FILE = "file"


def retry_delay(
    method: str,
    what: Operation,
    attempt: int,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    error: Exception | None = None,
    now: datetime | None = None,
) -> float | None:
    """Return the seconds to wait before the call is made again, or None when it must not be.

    ``attempt`` counts from 0. ``status`` is None where no answer arrived. A POST is repeated only where nothing
    can have been accepted: no connection was made, or the answer was 429 (a job is charged when it is accepted,
    and the API knows no idempotency key). Reads, and a cancel, which costs nothing, are repeated for ever, as their
    caller has a deadline; but a 404, which may only be fresh, for about eight seconds, and a file that cannot be
    decoded twice.
    """
    if method == "POST" and what is not Operation.CANCEL:
        if status == 429:
            return _after(headers, attempt, now) if attempt + 1 < RATE_LIMITED_ATTEMPTS else None
        unsent = isinstance(error, ConnectionFailed) and error.may_repeat
        return backoff(attempt) if unsent and attempt + 1 < SUBMIT_ATTEMPTS else None
    if status == 404 or (isinstance(error, NotFound) and error.code == NO_SUCH_REQUEST):
        return backoff(attempt) / 2 if attempt + 1 < FRESH_ATTEMPTS else None
    if status is not None and (status in _PASSING or status >= 500):
        return _after(headers, attempt, now)
    if isinstance(error, ConnectionFailed | ProtocolError):
        return backoff(attempt) if error.may_repeat else None
    if isinstance(error, Undecodable):
        return backoff(attempt) if attempt + 1 < UNDECODABLE_ATTEMPTS else None
    return backoff(attempt) if isinstance(error, AnswerLost | ServerFault) else None


def delay_after(method: str, what: Operation, attempt: int, error: PackError, random: float) -> float | None:
    """Return ``retry_delay`` for an error of this pack, with jitter; ``random`` is in 0..1."""
    answer = error if isinstance(error, StatusError | FileGone) else None
    delay = retry_delay(
        method,
        what,
        attempt,
        status=answer.status if answer else None,
        headers=answer.headers if isinstance(answer, StatusError) else None,
        error=error,
    )
    return None if delay is None else with_jitter(delay, random)


def backoff(attempt: int) -> float:
    """Return the exponential delay of an attempt, in seconds: 0.5, 1, 2 .. 15."""
    return min(MAX_DELAY, FIRST_DELAY * 2.0 ** min(attempt, 10))


def with_jitter(delay: float, random: float) -> float:
    """Stretch a delay by up to a quarter; ``random`` is in 0..1. Never shorter than what was asked for."""
    return delay * (1 + random / 4)


def retry_after(headers: Mapping[str, str] | None, now: datetime | None = None) -> float | None:
    """Read ``Retry-After`` as seconds, from digits or a date (RFC 9110, 10.2.3), in 0..60.

    What is absent, in the past, or neither of the two (``inf``, ``1e400``, ``1.5``) gives None; what is beyond a
    minute is cut to it.
    """
    text = next((value for name, value in (headers or {}).items() if name.lower() == "retry-after"), "").strip()
    seconds = float(text) if text.isascii() and text.isdigit() else _seconds_until(text, now)
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, MAX_RETRY_AFTER)


def _after(headers: Mapping[str, str] | None, attempt: int, now: datetime | None) -> float:
    asked = retry_after(headers, now)
    return backoff(attempt) if asked is None else max(asked, FIRST_DELAY)


def _seconds_until(text: str, now: datetime | None) -> float:
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return (moment - (now or datetime.now(timezone.utc))).total_seconds()
    except (TypeError, ValueError, IndexError, OverflowError):
        return math.nan
