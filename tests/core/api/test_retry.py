"""The retry rule, row by row: what is repeated, when, and what never is."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from properties import given, st

from nodes.core.api.retry import (
    FRESH_ATTEMPTS,
    MAX_DELAY,
    MAX_RETRY_AFTER,
    RATE_LIMITED_ATTEMPTS,
    UNDECODABLE_ATTEMPTS,
    Operation,
    backoff,
    delay_after,
    retry_after,
    retry_delay,
    with_jitter,
)
from nodes.core.errors import (
    AnswerLost,
    ConnectionFailed,
    DownloadError,
    FileGone,
    InsufficientBalance,
    JournalError,
    NotFound,
    PackError,
    ProtocolError,
    RateLimited,
    Rejected,
    ServerFault,
    SubmissionUnknown,
    TooLarge,
    Unauthorized,
    Undecodable,
    UntrustedUrl,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
READS = (Operation.STATUS, Operation.RESULT, Operation.FILE)
LOST = AnswerLost("answer_late")
NO_CONNECTION = ConnectionFailed("server_unreachable")
BAD_PROXY = ConnectionFailed("proxy_refused", may_repeat=False)
UNREADABLE = ProtocolError("answer_not_json")
UNKNOWN_STATE = ProtocolError("unknown_state", may_repeat=False)


def refusal(kind: type[Any], status: int, code: int = 0, **headers: str) -> PackError:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    error: PackError = kind("input_refused", status=status, code=code, headers=given)
    return error


# method, what, attempt, error -> seconds before the jitter, or None for never
ROWS: list[tuple[str, Operation, int, PackError, float | None]] = [
    # A job is posted again only where nothing can have been accepted.
    ("POST", Operation.SUBMIT, 0, NO_CONNECTION, 0.5),
    ("POST", Operation.SUBMIT, 1, NO_CONNECTION, 1),
    ("POST", Operation.SUBMIT, 4, NO_CONNECTION, 8),
    ("POST", Operation.SUBMIT, 5, NO_CONNECTION, None),
    ("POST", Operation.SUBMIT, 0, BAD_PROXY, None),
    ("POST", Operation.SUBMIT, 0, refusal(RateLimited, 429), 0.5),
    ("POST", Operation.SUBMIT, 3, refusal(RateLimited, 429), 4),
    ("POST", Operation.SUBMIT, 0, refusal(RateLimited, 429, Retry_After="7"), 7),
    ("POST", Operation.SUBMIT, 18, refusal(RateLimited, 429, Retry_After="7"), 7),
    ("POST", Operation.SUBMIT, 19, refusal(RateLimited, 429, Retry_After="7"), None),
    ("POST", Operation.SUBMIT, 0, LOST, None),
    ("POST", Operation.SUBMIT, 0, SubmissionUnknown("earlier_answer_lost"), None),
    ("POST", Operation.SUBMIT, 0, UNREADABLE, None),
    ("POST", Operation.SUBMIT, 0, refusal(Rejected, 400), None),
    ("POST", Operation.SUBMIT, 0, refusal(Unauthorized, 401), None),
    ("POST", Operation.SUBMIT, 0, refusal(InsufficientBalance, 402), None),
    ("POST", Operation.SUBMIT, 0, refusal(NotFound, 404), None),
    ("POST", Operation.SUBMIT, 0, refusal(Rejected, 408, Retry_After="1"), None),
    ("POST", Operation.SUBMIT, 0, refusal(Rejected, 409), None),
    ("POST", Operation.SUBMIT, 0, refusal(Rejected, 425), None),
    ("POST", Operation.SUBMIT, 0, refusal(ServerFault, 500), None),
    ("POST", Operation.SUBMIT, 0, refusal(ServerFault, 502), None),
    ("POST", Operation.SUBMIT, 0, refusal(ServerFault, 503, Retry_After="1"), None),
    ("POST", Operation.SUBMIT, 0, refusal(ServerFault, 504), None),
    # A cancel costs nothing.
    ("POST", Operation.CANCEL, 0, LOST, 0.5),
    ("POST", Operation.CANCEL, 2, refusal(ServerFault, 503), 2),
    ("POST", Operation.CANCEL, 0, refusal(RateLimited, 429, Retry_After="2"), 2),
    ("POST", Operation.CANCEL, 0, NO_CONNECTION, 0.5),
    ("POST", Operation.CANCEL, 0, refusal(Unauthorized, 401), None),
    # A read is repeated for as long as its caller waits.
    ("GET", Operation.STATUS, 0, refusal(ServerFault, 500), 0.5),
    ("GET", Operation.STATUS, 1, refusal(ServerFault, 502), 1),
    ("GET", Operation.RESULT, 2, refusal(ServerFault, 503), 2),
    ("GET", Operation.STATUS, 3, refusal(ServerFault, 504), 4),
    ("GET", Operation.STATUS, 5, refusal(ServerFault, 599), 15),
    ("GET", Operation.STATUS, 10_000, refusal(ServerFault, 502), 15),
    ("GET", Operation.STATUS, 0, refusal(ServerFault, 503, Retry_After="3"), 3),
    ("GET", Operation.STATUS, 0, refusal(ServerFault, 200, code=500001), 0.5),
    ("GET", Operation.STATUS, 0, refusal(ServerFault, 302), 0.5),
    ("GET", Operation.STATUS, 0, refusal(RateLimited, 429), 0.5),
    ("GET", Operation.STATUS, 0, refusal(RateLimited, 429, Retry_After="0"), 0.5),
    ("GET", Operation.STATUS, 9, refusal(RateLimited, 429, Retry_After="2"), 2),
    ("GET", Operation.STATUS, 0, refusal(RateLimited, 429, Retry_After="3600"), 60),
    ("GET", Operation.STATUS, 0, refusal(RateLimited, 429, Retry_After="-1"), 0.5),
    ("GET", Operation.STATUS, 0, refusal(Rejected, 408), 0.5),
    ("GET", Operation.STATUS, 0, refusal(Rejected, 425), 0.5),
    ("GET", Operation.STATUS, 7, NO_CONNECTION, 15),
    ("GET", Operation.STATUS, 0, BAD_PROXY, None),
    ("GET", Operation.STATUS, 0, LOST, 0.5),
    ("GET", Operation.RESULT, 50, LOST, 15),
    ("GET", Operation.STATUS, 0, UNREADABLE, 0.5),
    ("GET", Operation.STATUS, 0, UNKNOWN_STATE, None),
    ("GET", Operation.STATUS, 0, refusal(Rejected, 400), None),
    ("GET", Operation.STATUS, 0, refusal(Unauthorized, 401), None),
    ("GET", Operation.STATUS, 0, refusal(Unauthorized, 400, code=400004), None),
    ("GET", Operation.STATUS, 0, refusal(NotFound, 403, code=403001), None),
    ("GET", Operation.STATUS, 0, refusal(Rejected, 422), None),
    # A request that is not there may only be fresh, by its status or by its code.
    ("GET", Operation.STATUS, 0, refusal(NotFound, 404), 0.25),
    ("GET", Operation.STATUS, 4, refusal(NotFound, 404), 4),
    ("GET", Operation.STATUS, 5, refusal(NotFound, 404), None),
    ("GET", Operation.STATUS, 0, refusal(NotFound, 400, code=404001), 0.25),
    ("GET", Operation.RESULT, 4, refusal(NotFound, 200, code=404001), 4),
    ("GET", Operation.STATUS, 5, refusal(NotFound, 400, code=404001), None),
    # Files.
    ("GET", Operation.FILE, 0, FileGone("file_gone", status=404), 0.25),
    ("GET", Operation.FILE, 5, FileGone("file_gone", status=404), None),
    ("GET", Operation.FILE, 0, FileGone("file_gone", status=410), None),
    ("GET", Operation.FILE, 0, Undecodable("Damaged."), 0.5),
    ("GET", Operation.FILE, 1, Undecodable("Damaged."), 1),
    ("GET", Operation.FILE, 2, Undecodable("Damaged."), None),
    ("GET", Operation.FILE, 0, TooLarge("Large."), None),
    ("GET", Operation.FILE, 0, UntrustedUrl("Elsewhere."), None),
    ("GET", Operation.FILE, 0, DownloadError("file_refused", status=403), None),
    ("GET", Operation.FILE, 6, refusal(ServerFault, 503), 15),
    ("GET", Operation.FILE, 0, LOST, 0.5),
    # Never: what is not of the network.
    ("GET", Operation.STATUS, 0, JournalError("claim_taken_over"), None),
    ("POST", Operation.SUBMIT, 0, JournalError("claim_taken_over"), None),
]


@pytest.mark.parametrize(
    ("method", "what", "attempt", "error", "seconds"),
    ROWS,
    ids=[f"{row[1].value}-{row[2]}-{type(row[3]).__name__}-{number}" for number, row in enumerate(ROWS)],
)
def test_the_rule(method: str, what: Operation, attempt: int, error: PackError, seconds: float | None) -> None:
    assert delay_after(method, what, attempt, error, 0.0) == seconds
    longest = delay_after(method, what, attempt, error, 1.0)
    assert longest == (None if seconds is None else pytest.approx(seconds * 1.25))


@pytest.mark.parametrize(
    "error", [None, LOST, UNREADABLE, refusal(ServerFault, 500)], ids=lambda e: type(e).__name__
)
def test_a_submission_that_was_sent_is_never_repeated(error: PackError | None) -> None:
    headers = {"Retry-After": "1"}
    repeated = {
        (status, attempt)
        for status in (None, *range(100, 600))
        for attempt in range(RATE_LIMITED_ATTEMPTS)
        if retry_delay("POST", Operation.SUBMIT, attempt, status=status, headers=headers, error=error) is not None
    }
    assert repeated == {(429, attempt) for attempt in range(RATE_LIMITED_ATTEMPTS - 1)}


def test_a_fresh_request_is_looked_for_for_about_eight_seconds() -> None:
    delays = [
        delay_after("GET", Operation.STATUS, attempt, refusal(NotFound, 404), 0)
        for attempt in range(FRESH_ATTEMPTS)
    ]
    assert delays[-1] is None
    assert 7 < sum(delay for delay in delays if delay is not None) < 10


def test_a_damaged_file_is_fetched_twice_more() -> None:
    delays = [delay_after("GET", Operation.FILE, attempt, Undecodable("Bad."), 0) for attempt in range(9)]
    assert [delay is not None for delay in delays] == [True] * (UNDECODABLE_ATTEMPTS - 1) + [False] * 7


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_jitter_only_stretches_and_by_a_quarter_at_most(attempt: int, random: float) -> None:
    delay = backoff(attempt)
    assert 0.5 <= delay <= MAX_DELAY
    assert delay <= with_jitter(delay, random) <= 1.25 * delay


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        (" 2 ", 2),
        ("60", 60),
        ("61", 60),
        ("9" * 400, 60),
        ("9" * 5000, 60),
        ("2.5", None),
        ("+2", None),
        ("1_0", None),
        ("\u0662", None),
        ("1e1", None),
        ("1e400", None),
        ("inf", None),
        ("Infinity", None),
        ("-0", None),
        ("-1", None),
        ("-inf", None),
        ("nan", None),
        ("-nan", None),
        ("", None),
        (" ", None),
        ("soon", None),
        ("1 minute", None),
        ("0x10", None),
        ("1,5", None),
        ("12:00", None),
        ("Sun, 01 Mar 2026 12:00:05 GMT", 5),
        ("Sunday, 01-Mar-26 12:00:05 GMT", 5),
        ("Sun Mar  1 12:00:05 2026", 5),
        ("Sun, 01 Mar 2026 13:00:05 +0100", 5),
        ("Sun, 01 Mar 2026 12:00:05 -0000", 5),
        ("Sun, 01 Mar 2026 12:00:05", 5),
        ("Sun, 01 Mar 2026 12:00:00 GMT", 0),
        ("Sun, 01 Mar 2026 11:59:59 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 60),
        ("Mon, 01 Jan 0001 00:00:00 +2359", None),
        ("Sat, 01 Jan 100000 00:00:00 GMT", None),
        ("Sun, 31 Feb 2026 12:00:00 GMT", None),
        ("Sun, 01 Mar 2026 25:61:61 GMT", None),
        ("Sun, 01 Mar 2026 12:00:05 +9999", None),
        ("Sun, 99999999999999999999 Mar 2026 12:00:05 GMT", None),
        ("Sun, 01 Mar 2026 12:00:05 +99999999999999999999", None),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


@pytest.mark.parametrize("headers", [None, {}, {"Retry": "5"}, {"X-Retry-After": "5"}])
def test_an_absent_retry_after_asks_for_nothing(headers: dict[str, str] | None) -> None:
    assert retry_after(headers, NOW) is None


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_headers_are_read_in_any_case(name: str) -> None:
    assert retry_after({"Date": "now", name: "4"}, NOW) == 4


DATES = st.tuples(
    st.sampled_from(["", "Sun, ", "Sunday, ", "xyz "]),
    st.integers(-5, 10**12),
    st.sampled_from([" Mar ", " mar-", " 3 ", " "]),
    st.integers(-5, 10**12),
    st.sampled_from([" 12:00:05", " 25:99:99", " 1:2", "T00:00:00Z", "", " :::", " 1.2.3"]),
    st.sampled_from([" GMT", " +0000", " +9999", " EST", " -99999999999", "", " +", " ("]),
).map(lambda parts: "".join(map(str, parts)))


@given(st.text() | DATES | st.floats().map(str) | st.integers().map(str))
def test_any_retry_after_gives_a_usable_wait(text: str) -> None:
    seconds = retry_after({"Retry-After": text}, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER
    delay = retry_delay("GET", Operation.STATUS, 3, status=503, headers={"Retry-After": text}, now=NOW)
    assert delay is not None and math.isfinite(delay) and 0.5 <= delay <= MAX_RETRY_AFTER


@given(st.integers(-100, 100))
def test_a_date_asks_for_the_time_until_then(seconds: int) -> None:
    text = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after({"Retry-After": text}, NOW) == (None if seconds < 0 else min(seconds, 60))
