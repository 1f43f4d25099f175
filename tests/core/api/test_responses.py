"""Every form of an answer that is documented or was seen, and no harm from any other JSON."""

from __future__ import annotations

from typing import Any

import pytest
from properties import given, st

from nodes.core.api.responses import (
    MAX_REASON,
    Cancelled,
    CancelOutcome,
    Failed,
    HostedFile,
    InlineFile,
    Price,
    Queued,
    ResultFile,
    Running,
    Succeeded,
    UnreadFile,
    clean,
    find_error,
    find_reason,
    is_request_id,
    parse_balance,
    parse_cancel,
    parse_files,
    parse_price,
    parse_request_id,
    parse_seconds,
    parse_state,
    parse_usd,
)
from nodes.core.errors import (
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

UNREAD = "what is not understood"
A, B = "https://files.runcomfy.net/a.png", "https://files.runcomfy.net/b.png"

KEYS = [
    "status", "output", "image", "images", "url", "error", "error_code", "code", "error_message", "reason",
    "message", "detail", "price_unit", "msg", "loc", "cost", "queue_position", "request_id", "outcome",
    "base_price_usd",
]  # fmt: skip
WORDS = [
    "in_queue", "pending", "waiting", "in_progress", "starting", "processing", "completed", "succeeded", "failed",
    "cancelled", "canceled", "not_cancellable", "cancellation_requested", "expired", "", A, "400002", "\u202e\x00",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=6,
)
ANSWER = JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5)


def printable(text: str) -> bool:
    return text.isprintable() and "  " not in text


@pytest.mark.parametrize("word", ["in_queue", "pending", "waiting"])
def test_a_waiting_job_is_queued(word: str) -> None:
    assert parse_state({"request_id": "r", "status": word}) == Queued(None)
    assert parse_state({"status": word, "queue_position": 3}) == Queued(3)
    assert parse_state({"status": word, "queue_position": 0}) == Queued(0)


@pytest.mark.parametrize("position", [-1, 1.5, True, "3", None, [], 10**9, 10**30])
def test_a_position_that_is_none_is_not_shown(position: Any) -> None:
    assert parse_state({"status": "in_queue", "queue_position": position}) == Queued(None)


@pytest.mark.parametrize("word", ["in_progress", "starting", "processing"])
def test_a_job_in_progress_is_running(word: str) -> None:
    assert parse_state({"status": word, "queue_position": 3}) == Running()


@pytest.mark.parametrize("word", ["completed", "succeeded"])
def test_a_finished_job_has_succeeded_in_both_places(word: str) -> None:
    assert parse_state({"status": word}) == Succeeded()
    files = (HostedFile(A), HostedFile(B))
    assert parse_state({"status": word, "output": {"images": [A, B]}, "cost": 0.12}) == Succeeded(files, 0.12)


@pytest.mark.parametrize("word", ["cancelled", "canceled"])
def test_a_cancelled_job_is_cancelled_in_both_spellings(word: str) -> None:
    assert parse_state({"status": word}) == Cancelled()


@pytest.mark.parametrize(
    ("fields", "reason", "cost"),
    [
        ({}, None, None),
        ({"error": None}, None, None),
        ({"error": ""}, None, None),
        ({"error": "blocked"}, "blocked", None),
        ({"error": {"code": 1, "message": "blocked"}}, "blocked", None),
        ({"error": {"error": {"detail": "blocked"}}}, "blocked", None),
        ({"error": ["one", "two"]}, "one; two", None),
        ({"error_message": "first", "error": "second"}, "first", None),
        ({"error": "blocked", "cost": 0}, "blocked", 0.0),
        ({"message": "blocked", "cost": "0.2"}, "blocked", 0.2),
    ],
)
def test_a_failed_job_tells_its_reason(fields: dict[str, Any], reason: str | None, cost: float | None) -> None:
    assert parse_state({"status": "failed", **fields}) == Failed(reason, cost)


@pytest.mark.parametrize(
    "status", ["expired", "COMPLETED", "Succeeded", "queued", "", " ", "in_queue ", "x" * 10_000]
)
def test_an_unknown_state_is_named_and_not_polled_for_ever(status: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        parse_state({"status": status})
    assert not raised.value.may_repeat
    assert repr(status.strip()[:60]) in raised.value.message
    assert len(raised.value.message) < 200


@pytest.mark.parametrize(
    "payload", [None, [], "in_queue", 1, {}, {"status": None}, {"status": 5}, {"status": ["x"]}]
)
def test_an_answer_without_a_state_may_be_asked_for_again(payload: Any) -> None:
    with pytest.raises(ProtocolError) as raised:
        parse_state(payload)
    assert raised.value.may_repeat


@pytest.mark.parametrize(
    ("output", "files"),
    [
        ({"image": A}, (A,)),
        ({"images": [A]}, (A,)),
        ({"images": [A, B]}, (A, B)),
        ({"images": [B, A], "image": A}, (B, A)),
        ({"images": [], "image": A}, (A,)),
        ({"images": [{}], "image": A}, (A,)),
        ({"images": [None, ""], "image": {"url": A}}, (A,)),
        ({"images": None, "image": A}, (A,)),
        ({"image": None, "images": [A]}, (A,)),
        ({"images": A}, (A,)),
        ({"image": {"url": A}}, (A,)),
        ({"images": [{"url": A, "width": 1}, {"url": B}]}, (A, B)),
        ({"image": A, "video": B}, (A, B)),
        ({"videos": [A, B], "video": A}, (A, B)),
        ({"audios": [A, A, {"url": A}], "audio": A}, (A,)),
        ({"images": [A, B, A]}, (A, B)),
        ([A, A], (A,)),
        (A, (A,)),
        ([A, B], (A, B)),
        ([{"url": A}], (A,)),
        ([A, None, "", 7, {}, {"url": None}, ["x"], B], (A, UNREAD, UNREAD, B)),
        ("data:image/png;base64,AAAA", ("data:image/png;base64,AAAA",)),
        ({}, ()),
        ([], ()),
        ("", ()),
        (None, ()),
        (False, ()),
        (0, ()),
        ({"image": ""}, ()),
        ({"images": [None]}, ()),
        ({"images": [], "seed": 5, "has_nsfw_concepts": [True]}, ()),
        ({"image": [A]}, (A,)),
        (5, (UNREAD,)),
        ({"video": B}, (B,)),
        ({"image": None, "images": None, "video": B}, (B,)),
        ({"video": {"frames": [B]}}, (UNREAD,)),
        ({"model": B}, (UNREAD,)),
        ({"images": [], "previews": {"small": [A]}}, (UNREAD,)),
        ({"images": [{"image_url": A}]}, (UNREAD,)),
        ({"images": [{"image_url": A}], "image": B}, (B,)),
        ({"images": [A, {"image_url": B}]}, (A, UNREAD)),
        ({"images": {"0": A}}, (UNREAD,)),
        ({"result": {"images": [A]}}, (UNREAD,)),
        ([[A, B]], (UNREAD,)),
        ({"done": True}, (UNREAD,)),
    ],
)
def test_the_files_of_every_form_of_output(output: Any, files: tuple[str, ...]) -> None:
    assert [file_text(file) for file in parse_files(output)] == list(files)


@pytest.mark.parametrize(
    ("output", "medium", "files"),
    [
        ({"video": A, "image": B}, "video", (A,)),
        ({"video": A, "image": B}, "image", (B,)),
        ({"video": A, "image": B}, "audio", (B, A)),
        ({"video": A}, "image", (A,)),
        ({"video": {"frames": [A]}, "image": B}, "video", (B, UNREAD)),
        (A, "audio", (A,)),
    ],
)
def test_of_several_media_the_files_of_one_are_taken_where_there_are_any(
    output: Any, medium: str, files: tuple[str, ...]
) -> None:
    assert [file_text(file) for file in Succeeded(parse_files(output)).of_medium(medium).files] == list(files)


def test_an_output_is_read_however_deep_it_is() -> None:
    deep: Any = A
    for _ in range(100_000):
        deep = [deep]
    assert parse_files({"images": deep}) == parse_files({"video": {"frames": deep}}) == (UnreadFile(),)


def file_text(file: ResultFile) -> str:
    if isinstance(file, UnreadFile):
        return UNREAD
    match file:
        case HostedFile(url):
            assert not url.startswith("data:")
            return url
        case InlineFile(media_type, payload):
            return f"data:{media_type},{payload}"


def test_files_are_read_from_the_output_only() -> None:
    answer = {
        "status": "succeeded",
        "image": A,
        "input": {"image_urls": [A]},
        "output": {"image": B},
        "error": None,
    }
    assert parse_state(answer) == Succeeded((HostedFile(B),))
    assert parse_state({**answer, "output": {}}) == Succeeded(())


@pytest.mark.parametrize(
    ("value", "usd"),
    [
        (0, 0.0),
        (0.12, 0.12),
        ("0.12", 0.12),
        (5, 5.0),
        (None, None),
        (True, None),
        (-0.1, None),
        ("-1", None),
        ("free", None),
        ("", None),
        ("nan", None),
        (float("inf"), None),
        (float("nan"), None),
        (10**400, None),
        (1e300, None),
        (1e9, 1e9),
        (1e9 + 1, None),
        ([1], None),
        ({"usd": 1}, None),
    ],
)
def test_a_cost_is_a_number_of_usd_or_not_known(value: Any, usd: float | None) -> None:
    assert parse_usd(value) == usd
    assert parse_state({"status": "succeeded", "cost": value}) == Succeeded((), usd)


START = "2026-09-23T10:00:00"


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (START + ".250Z", "2026-09-23T10:00:20.750Z", 20.5),
        (START + "Z", "2026-09-23T10:01:00Z", 60.0),
        (START, "2026-09-23 10:00:20.123456789", 20.123456789),
        (START + "Z", "2026-09-23T12:00:20+02:00", 20.0),
        (START + "-0730", "2026-09-23T17:30:20z", 20.0),
        (START + "+02", "2026-09-23T08:00:20Z", 20.0),
        (START + ",5Z", "2026-09-23T10:00:20,75 Z", 20.25),
        (1789000000, 1789000020.5, 20.5),
        (1789000000000, 1789000020500, 20.5),
        ("1789000000", 1789000020500, 20.5),
        ("2026-09-10T00:26:40Z", 1789000020, 20.0),
        (None, START, None),
        (START, None, None),
        (START, START, None),
        (START, "2026-09-23T09:59:59", None),
        (START, "2026-02-30T10:00:00", None),
        (START, "0000-00-00T00:00:00", None),
        (START, "2026-09-23T10:00:00+99:99", None),
        (START, "soon", None),
        (START, True, None),
        (START, float("nan"), None),
        (START, [START], None),
        (-5, 20, None),
        (0, 10**400, None),
    ],
)
def test_the_time_between_two_moments_of_the_provider_is_read_or_not_known(
    start: Any, end: Any, seconds: float | None
) -> None:
    read = parse_seconds(start, end)
    assert read == (None if seconds is None else pytest.approx(seconds, abs=1e-6))
    told = {"status": "completed", "created_at": start, "finished_at": end}
    assert parse_state(told) == Succeeded(seconds=read)


@given(st.text() | st.floats() | st.integers(), st.text() | st.floats() | st.integers())
def test_no_moment_of_the_provider_breaks_an_answer(start: Any, end: Any) -> None:
    read = parse_seconds(start, end)
    assert read is None or read > 0


@pytest.mark.parametrize(("value", "usd"), [(5, 5.0), (-0.25, -0.25), (0, 0.0), ("1.5", 1.5)])
def test_a_balance_may_be_negative(value: Any, usd: float) -> None:
    assert parse_balance({"balance_usd": value, "currency": "USD"}) == usd


@pytest.mark.parametrize("value", [None, True, "", "much", [5], 10**400, -(10**400), float("inf"), float("nan")])
def test_a_balance_that_is_no_amount_is_an_error(value: Any) -> None:
    for payload in ({"balance_usd": value}, {}, None, [value]):
        with pytest.raises(ProtocolError):
            parse_balance(payload)


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        ({"request_id": "r", "status": "cancelled", "outcome": "cancelled"}, CancelOutcome.CANCELLED),
        ({"status": "canceled", "outcome": "canceled"}, CancelOutcome.CANCELLED),
        ({"outcome": "cancelled"}, CancelOutcome.CANCELLED),
        ({"status": "in_progress", "outcome": "not_cancellable"}, CancelOutcome.NOT_CANCELLABLE),
        ({"outcome": "not_cancellable"}, CancelOutcome.NOT_CANCELLABLE),
        ({"status": "in_queue", "outcome": "cancellation_requested"}, CancelOutcome.REQUESTED),
        ({"outcome": "cancellation_requested"}, CancelOutcome.REQUESTED),
        ({"status": "cancelled", "outcome": "cancellation_requested"}, CancelOutcome.CANCELLED),
        ({"status": "canceled", "outcome": "cancellation_requested"}, CancelOutcome.CANCELLED),
        ({}, CancelOutcome.NOT_CANCELLABLE),
        ({"status": "cancelled"}, CancelOutcome.CANCELLED),
        ({"status": "canceled", "outcome": None}, CancelOutcome.CANCELLED),
        ({"status": "completed"}, CancelOutcome.NOT_CANCELLABLE),
        ({"status": "in_progress", "outcome": "no"}, CancelOutcome.NOT_CANCELLABLE),
        ({"status": "completed", "outcome": ["cancelled"]}, CancelOutcome.NOT_CANCELLABLE),
    ],
)
def test_cancelled_is_said_only_if_the_server_said_it(payload: Any, outcome: CancelOutcome) -> None:
    assert parse_cancel(payload) is outcome


@pytest.mark.parametrize(
    "payload", [None, [], {"request_id": "r"}, "cancelled", {"outcome": "done"}, {"outcome": "x", "status": "y"}]
)
def test_a_cancels_answer_that_says_nothing_is_an_error(payload: Any) -> None:
    with pytest.raises(ProtocolError):
        parse_cancel(payload)


@pytest.mark.parametrize(
    ("payload", "price"),
    [
        ({"base_price_usd": 0.08, "price_unit": "image"}, Price(0.08, "image")),
        ({"base_price_usd": "0.08", "price_unit": "second"}, Price(0.08, "second")),
        ({"base_price_usd": 0}, Price(0.0, "output")),
        ({"base_price_usd": 1, "price_unit": None}, Price(1.0, "output")),
        ({"base_price_usd": None}, None),
        ({"base_price_usd": -1}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_catalog_entry_tells_a_price_or_none(payload: Any, price: Price | None) -> None:
    assert parse_price(payload) == price


@pytest.mark.parametrize("found", ["a", "0", "A-b_9", "x" * 128])
def test_a_request_id_is_taken_from_every_accepted_form(found: str) -> None:
    assert parse_request_id({"request_id": found, "status_url": "https://evil.example"}) == found
    assert parse_request_id({"request_id": found, "status": "in_queue"}) == found


@pytest.mark.parametrize(
    "found",
    [
        "",
        "x" * 129,
        "a/b",
        "../a",
        "a b",
        "a\n",
        "a.b",
        "a%2f",
        "\u00e9",
        "\uff11",
        5,
        None,
        True,
        ["a"],
        {"id": "a"},
    ],
)
def test_what_cannot_stand_in_a_path_is_no_request_id(found: Any) -> None:
    assert not is_request_id(found)
    with pytest.raises(ProtocolError):
        parse_request_id({"request_id": found})


# HTTP status, code, class, words of the message
ERRORS: list[tuple[int, int, type[StatusError], str]] = [
    (400, 400001, NotFound, "does not know this model"),
    (404, 400001, NotFound, "does not know this model"),
    (400, 400002, InsufficientBalance, "no balance"),
    (402, 400002, InsufficientBalance, "no balance"),
    (402, 0, InsufficientBalance, "no balance"),
    (400, 400004, Unauthorized, "refused the token"),
    (401, 401001, Unauthorized, "refused the token"),
    (401, 0, Unauthorized, "refused the token"),
    (403, 0, Unauthorized, "refused the token"),
    (400, 403001, OtherAccount, "another account"),
    (403, 403001, OtherAccount, "another account"),
    (400, 404001, NotFound, "expired"),
    (404, 404001, NotFound, "expired"),
    (404, 0, NotFound, "does not know"),
    (400, 0, Rejected, "refused the input"),
    (400, 400005, Rejected, "refused the input"),
    (422, 422001, Rejected, "refused the input"),
    (413, 0, Rejected, "too large"),
    (408, 0, Rejected, "refused"),
    (429, 0, RateLimited, "fewer calls"),
    (500, 500001, ServerFault, "could not answer"),
    (400, 500001, ServerFault, "could not answer"),
    (502, 0, ServerFault, "could not answer"),
    (503, 10001, ServerFault, "could not answer"),
    (301, 0, ServerFault, "redirect"),
    (302, 0, ServerFault, "redirect"),
    (200, 400002, InsufficientBalance, "no balance"),
    (200, 400004, Unauthorized, "refused the token"),
    (200, 404001, NotFound, "expired"),
    (200, 422001, Rejected, "refused the input"),
    (200, 500001, ServerFault, "could not answer"),
    (202, 10003, ServerFault, "could not answer"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "kind", "words"), ERRORS)
@pytest.mark.parametrize("name", ["error_code", "code"])
def test_errors_are_known_by_status_and_by_code(
    status: int, code: int, kind: type[StatusError], words: str, name: str
) -> None:
    for written in (code, str(code)) if code else ("",):
        error = find_error(status, {name: written, "message": "The provider's words."})
        assert type(error) is kind
        assert error is not None and words in error.message
        assert (error.status, error.code, error.failure.reason) == (status, code, "The provider's words.")
        assert f"HTTP {status}" in error.message


@pytest.mark.parametrize("name", ["error_message", "message", "error", "detail", "reason"])
def test_the_words_of_an_error_have_several_names(name: str) -> None:
    error = find_error(400, {"error_code": 1, name: "Too\n many\tfoxes\x00."})
    assert error is not None and error.failure.reason == "Too many foxes ."
    assert "Reason given: Too many foxes ." in str(error)


def test_a_list_of_validation_problems_is_one_line() -> None:
    problems = [
        {"loc": ["body", "num_images"], "msg": "ensure this value is at most 4", "type": "value_error"},
        {"loc": ["body", "image_urls", 0], "msg": "not an address"},
        {"msg": "something else"},
        "plain words",
        {"loc": ["body"]},
    ]
    assert find_reason({"detail": problems}) == (
        "body.num_images: ensure this value is at most 4; body.image_urls.0: not an address; "
        "something else; plain words"
    )


@pytest.mark.parametrize(
    "payload", [None, "", [], {}, 5, {"status": "in_queue"}, {"error_code": 0}, {"code": "E1"}]
)
def test_a_good_answer_is_no_error(payload: Any) -> None:
    assert find_error(200, payload) is None
    assert find_error(202, payload) is None


@pytest.mark.parametrize("status", ["failed", "in_queue", "completed", "cancelled"])
def test_a_code_beside_a_state_of_the_job_is_no_error_of_the_call(status: str) -> None:
    assert find_error(200, {"status": status, "error_code": 500001}) is None
    assert find_error(500, {"status": status, "error_code": 500001}) is not None


def test_a_code_beside_an_unknown_state_is_an_error() -> None:
    assert isinstance(find_error(200, {"status": "error", "error_code": 400002}), InsufficientBalance)
    assert isinstance(find_error(200, {"status": 400, "error_code": 400004}), Unauthorized)


def test_a_page_of_a_proxy_is_no_reason() -> None:
    error = find_error(502, None)
    assert error is not None and error.failure.reason is None


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\r\nb", "a b"), ("  a \t b ", "a b"), ("\u202ea\u200bb\x1b[31m", "a b [31m"), ("\ud800", ""), ("", "")],
)
def test_words_of_the_provider_are_one_printable_line(text: str, line: str) -> None:
    assert clean(text) == line


@given(st.text())
def test_cleaning_leaves_only_what_can_be_printed(text: str) -> None:
    assert printable(clean(text)) and clean(text) == clean(text).strip()


@given(ANSWER)
def test_any_json_is_a_state_or_a_protocol_error(payload: Any) -> None:
    try:
        state = parse_state(payload)
    except ProtocolError as error:
        assert printable(error.message) and len(error.message) < 200
        return
    match state:
        case Queued(position):
            assert position is None or 0 <= position < 10**9
        case Succeeded(files, cost):
            assert all(file_text(file) for file in files)
            assert cost is None or 0 <= cost < float("inf")
        case Failed(reason, cost):
            assert reason is None or (printable(reason) and 0 < len(reason) <= MAX_REASON)
            assert cost is None or 0 <= cost < float("inf")
        case _:
            assert state in (Running(), Cancelled())


@given(st.integers(100, 599), ANSWER)
def test_any_answer_is_good_or_an_error_whose_words_are_bounded(status: int, payload: Any) -> None:
    error = find_error(status, payload)
    if error is None:
        assert 200 <= status < 300
        return
    assert isinstance(error, StatusError)
    assert error.status == status
    assert 0 <= error.code < 10**9
    assert error.failure.reason is None or (
        printable(error.failure.reason) and 0 < len(error.failure.reason) <= MAX_REASON
    )
    assert all(printable(line) for line in str(error).splitlines())


@given(JSON)
def test_any_reason_is_printable_and_bounded(payload: Any) -> None:
    for holder in (payload, {"detail": payload}, [payload] * 20):
        reason = find_reason(holder)
        assert reason is None or (printable(reason) and 0 < len(reason) <= MAX_REASON)


@given(JSON)
def test_any_output_gives_a_list_of_addresses(output: Any) -> None:
    files = parse_files(output)
    assert isinstance(files, tuple)
    assert all(file_text(file) for file in files)


@given(ANSWER)
def test_any_answer_to_a_cancel_is_an_outcome_or_a_protocol_error(payload: Any) -> None:
    try:
        outcome = parse_cancel(payload)
    except ProtocolError:
        return
    assert isinstance(outcome, CancelOutcome)
    said = [payload.get("status"), payload.get("outcome")]
    assert outcome is not CancelOutcome.CANCELLED or "cancelled" in said or "canceled" in said


@given(ANSWER)
def test_any_catalog_entry_is_a_price_or_none(payload: Any) -> None:
    price = parse_price(payload)
    assert price is None or (0 <= price.usd < float("inf") and isinstance(price.unit, str))


@given(ANSWER)
def test_any_answer_to_a_submission_is_an_id_or_a_protocol_error(payload: Any) -> None:
    try:
        found = parse_request_id(payload)
    except ProtocolError:
        return
    assert is_request_id(found) and found == payload["request_id"]


def test_deep_and_wide_answers_are_read_within_bounds() -> None:
    deep: Any = "words"
    for _ in range(200):
        deep = {"error": [deep]}
    wide = {"error": [{"detail": ["words" * 100] * 1000}] * 1000}
    assert find_reason(deep) is None
    assert len(find_reason(wide) or "") == MAX_REASON
