"""A failure is data: every raised kind has a text, every text is used; a receipt is made, not patched."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT

from nodes.comfyui import routes
from nodes.core import errors
from nodes.core.errors import Charge, FileGone, InvalidInput, JobFailed, NotFound, PackError, failed, step
from nodes.core.jobs.receipts import complete, of_collecting
from nodes.core.store.job import Job
from nodes.core.texts import note

TABLE: dict[str, str] = json.loads((ROOT / "locales" / "en" / "messages.json").read_text(encoding="utf-8"))
FAMILIES = ("failure", "next", "note", "sent", "cancel", "outcome", "address", "http", "limits", "source")
JOB = Job(
    1, "f", "a", "m", "1K", 1, "submitted", "o", "r1", 0.0, 0.0, None, None, None, 0.1, ("https://a/1.png",), None
)


def classes(root: type[PackError]) -> Iterator[type[PackError]]:
    yield root
    for each in root.__subclasses__():
        yield from classes(each)


ERRORS = {each.__name__ for each in classes(PackError)}
# What is called with a word, and the family of texts that the word belongs to.
MAKERS = dict.fromkeys(ERRORS, "failure.") | {
    "failed": "failure.", "step": "next.", "BadUrl": "address.", "JobReplaced": "note.", "note": "",
}  # fmt: skip


def words(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the family and the word of each failure, step and note that is made; also by ``partial``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and named(node.elts[0]) in ERRORS:
            yield "failure.", node.elts[1]
        if not isinstance(node, ast.Call):
            continue
        name, given = named(node.func), node.args
        if name == "partial" and given:
            name, given = named(given[0]), given[1:]
        if name == "InvalidInput":
            given = given[1:]
        if name in MAKERS and given:
            yield MAKERS[name], given[0]


def named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def constants(node: ast.expr) -> list[str]:
    """The words that an expression may stand for: a string, or one of two."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def trees() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((ROOT / "nodes").rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def keys() -> set[str]:
    """The keys of the families, counted texts without their form."""
    found = {key for key in TABLE if key.partition(".")[0] in FAMILIES}
    counted = {key.removesuffix(".other") for key in found if key.endswith(".other")}
    return {key for key in found if key.rpartition(".")[0] not in counted} | counted


def test_every_kind_that_is_raised_has_a_text() -> None:
    made = {
        f"{family}{word}": path.name
        for path, tree in trees()
        for family, node in words(tree)
        for word in constants(node)
    }
    assert len(made) > 100
    assert {
        key: place for key, place in made.items() if key.partition(".")[0] in FAMILIES and key not in keys()
    } == {}


def test_every_text_is_used() -> None:
    said = {
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    unused = {key for key in keys() if key not in said and key.partition(".")[2] not in said}
    assert unused == set()


def test_a_planted_kind_without_a_text_is_found() -> None:
    planted = ast.parse('raise DownloadError("never_heard_of")\npartial(InvalidInput, "f", "nor_of_this")')
    assert [f"{family}{word}" for family, node in words(planted) for word in constants(node)] == [
        "failure.never_heard_of",
        "failure.nor_of_this",
    ]


def test_default_steps_have_texts() -> None:
    assert routes.Refused in set(classes(PackError))
    for each in classes(PackError):
        for one in each.default_next:
            assert one.kind in TABLE, each


def test_the_receipt_says_what_why_paid_which_and_what_next() -> None:
    error = JobFailed(
        "job_failed",
        reason="too rude",
        cost=0.1,
        charge=Charge.YES,
        request_id="r1",
        next=(step("look_at_inputs"),),
    )
    assert str(error).splitlines() == [
        "The job failed at the provider.",
        "Reason given: too rude",
        "Charged: yes, $0.10.",
        "Request: r1",
        "Next: Look at the prompt, the references and the safety settings.",
    ]
    assert error.failure.payload() == {
        "kind": "job_failed",
        "params": {},
        "charge": "yes",
        "cost": 0.1,
        "request_id": "r1",
        "reason": "too rude",
        "next": [{"kind": "next.look_at_inputs", "params": {}}],
        "items": [],
    }


FAILED = failed("job_failed")
PAID, UNKNOWN = note("receipt.yes_cost", cost_usd=0.1), note("receipt.unknown", cost_usd=None)
RUDE = note("receipt.reason", reason="too rude")
OF_A_LIST = PackError(
    "items_failed",
    **{"failed": 2, "total": 20, "delivered": 18, "unsent": 0},
    charge=Charge.YES,
    cost=1.9,
    next=(step("run_list_again"), step("look_at_inputs")),
).but(
    items=(
        note("item.failed", number=3, prompt="a fox", cause=FAILED, charge=PAID),
        note("item.failed_with_reason", number=4, prompt="a crow", cause=FAILED, charge=UNKNOWN, reason=RUDE),
    )
)
RECEIPTS = json.loads((ROOT / "tests" / "receipts.json").read_text(encoding="utf-8"))
FAILURES = [
    errors.NoToken("token_missing", next=(step("enter_token", url=errors.PROFILE_PAGE),)),
    InvalidInput("image_urls", "bad_address", line=4, problem=note("address.not_https")),
    errors.OverBudget("budget_passed", budget_usd=1, spent_usd=0.7, price_usd=0.3125),
    errors.RateLimited("rate_limited", status=429, reason="slow down"),
    JobFailed(
        "no_image", charge=Charge.YES, cost=0.1, request_id="r1", next=(step("look_at_inputs"), errors.NEW_JOB)
    ),
    errors.TooLarge("inline_too_large", limit_bytes=128 * 2**20, request_id="r2"),
    errors.SubmissionUnknown("answer_lost", cause=note("failure.answer_late")),
    OF_A_LIST,
]


@pytest.mark.parametrize(("error", "told"), list(zip(FAILURES, RECEIPTS, strict=True)))
def test_the_page_and_the_server_read_the_same_receipts(error: PackError, told: dict[str, object]) -> None:
    """``tests/web`` reads the same file."""
    assert {"failure": error.failure.payload(), "lines": str(error).splitlines()} == told


@pytest.mark.parametrize("charge", list(Charge))
def test_each_charge_is_said(charge: Charge) -> None:
    said = {Charge.NO: "Charged: no.", Charge.YES: "Charged: yes.", Charge.UNKNOWN: "Charged: not known."}
    assert str(PackError("broken_off", charge=charge)).splitlines()[1] == said[charge]


def test_a_failure_is_json() -> None:
    for error in (InvalidInput("prompt", "empty"), NotFound("request_unknown", status=404, code=404001)):
        assert json.loads(json.dumps(error.failure.payload())) == error.failure.payload()


@pytest.mark.parametrize("seconds", [5.0, 5000.0])
@pytest.mark.parametrize(
    "error",
    [
        FileGone("file_gone", status=404),
        FileGone("file_gone", status=410),
        NotFound("request_unknown", status=404),
        errors.Rejected("input_refused", status=422),
        errors.ServerFault("api_failed", status=500),
        errors.JobTimedOut("job_takes_too_long"),
        JobFailed("job_failed"),
        errors.UntrustedUrl("redirect_unreadable"),
    ],
)
def test_a_receipt_is_made_and_the_raised_error_stays_as_it_was(error: PackError, seconds: float) -> None:
    before = copy.deepcopy(error.__dict__)
    told = complete(error, JOB, seconds)
    assert told is not error and type(told) is type(error)
    assert (told.failure.request_id, told.failure.cost) == ("r1", 0.1)
    collected = of_collecting(told, seconds)
    assert error.__dict__ == before
    assert collected.failure.note == error.failure.note
    assert (told.failure.next and collected.failure.next) or isinstance(error, JobFailed)
