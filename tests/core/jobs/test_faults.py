"""The fault matrix: whatever goes wrong on the wire, one job is billed, its images arrive, the text is true."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from hurry import Skipping, delivered, drawn, hurry, same, service
from support import PRO_EDIT, TEXT_TO_IMAGE, Runner, image

from emulator import TOLERATED, Answers, Emulator, Fault
from nodes.core import threads
from nodes.core.api.retry import RATE_LIMITED_ATTEMPTS
from nodes.core.errors import (
    ConnectionFailed,
    DownloadError,
    FileGone,
    InsufficientBalance,
    JobFailed,
    JobTimedOut,
    NotFound,
    PackError,
    ProtocolError,
    RateLimited,
    Rejected,
    SubmissionUnknown,
    TooLarge,
    Unauthorized,
    Undecodable,
    UntrustedUrl,
)
from nodes.core.jobs.waiting import Clock
from nodes.core.store.journal import FILE_NAME

UNKNOWN = (SubmissionUnknown, r"(?s)may have been accepted.*Charged: not known.*Next: Look at https://www.runcomfy")
AGAIN = r".*Charged: .*Request: [0-9a-f-]{36}.*Next: .*[Rr]un the same inputs again"
RECOVERABLE = f"(?s){AGAIN}"
NOT_FETCHED = r"(?s)not fetched.*Charged: yes, \$0\.10.*Request: .*no new charge"
OLD = "UPDATE jobs SET submitted_at = submitted_at - 7200, created_at = created_at - 7200"
Shown = tuple[type[PackError], str]


@dataclass(frozen=True)
class Script:
    """One row: the faults, what each raising run shows, how many jobs are billed; then the images are there."""

    name: str
    faults: tuple[Fault, ...] = ()
    shown: tuple[Shown, ...] = ()
    billed: int = 1
    allowed: bool = False
    """Whether a person lets it be paid for again before the delivering run."""
    values: dict[str, object] = field(default_factory=dict)
    account: dict[str, object] = field(default_factory=dict)
    text: str = ""
    """A pattern of what the node shows in the delivering run."""


def at(place: str, times: int | None = 1, after: int = 0, **kind: Any) -> Fault:
    return Fault(place, times=times, after=after, **kind)


def put(**changes: object) -> Callable[[Any], Any]:
    """Return an edit that sets members of an answer; None removes one."""

    def edit(payload: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in {**payload, **changes}.items() if value is not None}

    return edit


def busy(retry_after: str, times: int = 1, place: str = "submit") -> Fault:
    return at(place, times, status=429, headers={"Retry-After": retry_after})


def refusal(place: str, status: int, code: int, text: str = "No.", times: int = 1) -> Fault:
    return at(place, times, status=status, body={"error_code": code, "error_message": text})


def one_file(url: str) -> Fault:
    """Name another file once, and once more where the result is asked again."""
    return at("result", edit=put(output={"image": url}, cost=0.1))


FINE = (
    Script("nothing goes wrong"),
    Script("submit is answered as text/plain", (at("submit", content_type="text/plain"),)),
    Script("status names another request", (at("status", edit=put(request_id="another")),)),
    Script("queue position is a lie", (at("status", 3, edit=put(status="in_queue", queue_position=-5)),)),
    Script("queue position is text", (at("status", 3, edit=put(status="in_queue", queue_position="<b>")),)),
    Script("queue position is huge", (at("status", 2, edit=put(status="in_queue", queue_position=10**40)),)),
    Script("result has objects for files", (at("result", edit=lambda answer: answer | {"output": {
        "images": [{"url": answer["output"]["image"]}]}}),)),
    Script("result echoes foreign urls", (at("result", edit=put(image="https://evil.example/x.png")),)),
    Script("cost is text", (at("result", edit=put(cost="0.25")),), text=r"\$0\.25"),
    Script("cost is negative", (at("result", edit=put(cost=-1)),), text=r"\$0\.10"),
    Script("cost is no number", (at("result", edit=put(cost="nan")),), text=r"\$0\.10"),
    Script("cost is a truth", (at("result", edit=put(cost=True)),), text=r"\$0\.10"),
    Script("cost comes late", (at("job", late_cost=1),), text=r"\$0\.10"),
    Script("cost never comes", (at("job", late_cost=99),), text=r"1 image delivered, \d+ s\n"),
    Script("late cost cannot be had", (at("result", edit=put(cost=None)), at("result", after=1, status=500))),
    Script("several sizes", (at("job", sizes=[(64, 48), (32, 32)]),), values={"num_images": 2}),
    Script("fewer images", (at("job", images=1),), values={"num_images": 3}, text="1 of 3 images came"),
    Script("jpeg", (at("job", format="jpeg"),)),
    Script("webp", (at("job", format="webp"),)),
    *(Script(f"tolerated forms {n}", account={"answers": form, "queue_seconds": 0.05, "run_seconds": 0.05})
      for n, form in enumerate(TOLERATED)),
    Script("tolerated forms, several files", account={"answers": "tolerated"}, values={"num_images": 2}),
    Script("foreign urls for status and result", account={"answers": Answers(urls="foreign")}),
)  # fmt: skip

PROBLEMS = [{"loc": ["body", "prompt"], "msg": "too rude"}]
SUBMIT = (
    Script("submit 429 with no Retry-After", (at("submit", status=429),)),
    Script("submit 429 for 1 s", (busy("1"),)),
    Script("submit 429 for a fraction", (busy("0.1"),)),
    Script("submit 429 until a past date", (busy("Wed, 21 Oct 2015 07:28:00 GMT"),)),
    Script("submit 429 until the year 9999", (busy("Fri, 31 Dec 9999 23:59:59 GMT"),)),
    Script("submit 429 for a negative time", (busy("-5"),)),
    Script("submit 429 for an infinite time", (busy("inf"),)),
    Script("submit 429 for nan", (busy("nan"),)),
    Script("submit 429 for ages", (busy("1e300"),)),
    Script("submit 429 for words", (busy("soon"),)),
    Script("submit 429 five times", (busy("1", 5),)),
    Script("submit 429 for too long", (busy("1", RATE_LIMITED_ATTEMPTS),),
           ((RateLimited, r"(?s)429.*Charged: no\..*Next: Wait"),)),
    Script("submit reset before it is read", (at("submit", reset=True),), (UNKNOWN,)),
    Script("submit answer lost", (at("submit", lost=True),), (UNKNOWN,), 2),
    Script("submit answer lost twice", (at("submit", 2, lost=True),), (UNKNOWN, UNKNOWN), 3),
    Script("submit answer garbage", (at("submit", garbage=True),), (UNKNOWN,), 2),
    Script("submit answer truncated", (at("submit", truncated=True),), (UNKNOWN,), 2),
    Script("submit answer empty", (at("submit", empty=True),), (UNKNOWN,), 2),
    Script("submit answer too slow", (at("submit", hang_after=3),), (UNKNOWN,), 2),
    Script("submit answer drips", (at("submit", drip=0.05),), (UNKNOWN,), 2),
    Script("submit answer announces a terabyte", (at("submit", length=10**12),), (UNKNOWN,), 2),
    Script("submit answer announces ten bytes", (at("submit", length=10),), (UNKNOWN,), 2),
    Script("submit hangs before it is done", (at("submit", hang=3),), (UNKNOWN,)),
    Script("submit 500", (at("submit", status=500),), (UNKNOWN,)),
    Script("submit 502", (at("submit", status=502),), (UNKNOWN,)),
    Script("submit 503", (at("submit", status=503),), (UNKNOWN,)),
    Script("submit 504", (at("submit", status=504),), (UNKNOWN,)),
    Script("submit 503 with Retry-After", (at("submit", status=503, headers={"Retry-After": "1"}),), (UNKNOWN,)),
    Script("submit meets a web page", (at("submit", html=True),), (UNKNOWN,)),
    Script("submit meets an image", (at("submit", bomb=True),), (UNKNOWN,)),
    Script("submit meets endless bytes", (at("submit", endless=True),), (UNKNOWN,)),
    Script("submit redirected", (at("submit", redirect="https://evil.example/v1"),), (UNKNOWN,)),
    Script("submit answer without an id", (at("submit", edit=put(request_id=None)),), (UNKNOWN,), 2),
    Script("submit answer with a path for an id", (at("submit", edit=put(request_id="../v2")),), (UNKNOWN,), 2),
    Script("submit answer with a number for an id", (at("submit", edit=put(request_id=42)),), (UNKNOWN,), 2),
    Script("submit answer with a long id", (at("submit", edit=put(request_id="a" * 129)),), (UNKNOWN,), 2),
    Script("submit answer is a list", (at("submit", edit=lambda answer: [answer]),), (UNKNOWN,), 2),
    Script("submit HTTP 200 with a server's error", (refusal("submit", 200, 500001),), (UNKNOWN,)),
    Script("submit 200 with a bad token", (refusal("submit", 200, 400004),),
           ((Unauthorized, "(?s)HTTP 200, code 400004.*Charged: no.*RUNCOMFY_API_TOKEN"),)),
    Script("submit 400 with a bad token", (refusal("submit", 400, 400004),),
           ((Unauthorized, "HTTP 400, code 400004"),)),
    Script("submit 401", (at("submit", status=401),), ((Unauthorized, "(?s)HTTP 401.*Charged: no"),)),
    Script("submit 402", (at("submit", status=402),),
           ((InsufficientBalance, "(?s)HTTP 402.*Charged: no.*Add balance"),)),
    Script("submit 400 with no balance", (refusal("submit", 400, 400002),),
           ((InsufficientBalance, "Charged: no"),)),
    Script("submit 404", (refusal("submit", 404, 400001),), ((NotFound, "(?s)model.*Charged: no"),)),
    Script("submit 413", (at("submit", status=413),), ((Rejected, "(?s)too large.*Charged: no"),)),
    Script("submit 422 with a list of problems", (at("submit", status=422, body={"detail": PROBLEMS}),),
           ((Rejected, "(?s)body.prompt: too rude.*Charged: no"),)),
)  # fmt: skip

STATUS = (
    Script("status reset three times", (at("status", 3, reset=True),)),
    Script("status lost", (at("status", lost=True),)),
    Script("status 500", (at("status", status=500),)),
    Script("status 502 ten times", (at("status", 10, status=502),)),
    Script("status 503 with Retry-After", (at("status", 2, status=503, headers={"Retry-After": "7"}),)),
    Script("status 504", (at("status", status=504),)),
    Script("status 408", (at("status", status=408),)),
    Script("status 429 thirty times", (busy("30", 30, "status"),)),
    Script("status is a web page", (at("status", 2, html=True),)),
    Script("status garbage", (at("status", garbage=True),)),
    Script("status truncated", (at("status", truncated=True),)),
    Script("status empty", (at("status", empty=True),)),
    Script("status hangs", (at("status", hang=3),)),
    Script("status drips", (at("status", drip=0.05),)),
    Script("status endless", (at("status", endless=True),)),
    Script("status redirected", (at("status", redirect="https://evil.example/v1"),)),
    Script("status without a state", (at("status", 2, edit=put(status=None)),)),
    Script("status is a number", (at("status", 2, edit=put(status=7)),)),
    Script("status is a list", (at("status", 2, edit=lambda answer: [answer]),)),
    Script("status HTTP 200 with a server's error", (refusal("status", 200, 500001, times=3),)),
    Script("status 404 at first", (at("status", 2, status=404),)),
    Script("status 400 with the code of a 404", (refusal("status", 400, 404001, times=6),),
           ((NotFound, RECOVERABLE),)),
    Script("status 404 for ten seconds", (at("status", 6, status=404),), ((NotFound, RECOVERABLE),)),
    Script("status of an unknown state", (at("status", edit=put(status="melting")),),
           ((ProtocolError, f"(?s)'melting'{AGAIN}"),)),
    Script("status of a nasty state", (at("status", edit=put(status="x\n\x1b[31m" * 99)),),
           ((ProtocolError, RECOVERABLE),)),
    Script("status 401", (at("status", status=401),), ((Unauthorized, RECOVERABLE),)),
    Script("status 400", (at("status", status=400),), ((Rejected, RECOVERABLE),)),
    Script("status 418", (at("status", status=418),), ((Rejected, RECOVERABLE),)),
    Script("status is somebody else's", (refusal("status", 403, 403001),),
           ((NotFound, "(?s)another account.*Charged: not known.*Generations|generations"),), 2),
)  # fmt: skip

RESULT = (
    Script("result reset", (at("result", reset=True),)),
    Script("result lost twice", (at("result", 2, lost=True),)),
    Script("result 500", (at("result", status=500),)),
    Script("result 503 five times", (at("result", 5, status=503),)),
    Script("result 429", (busy("2", 2, "result"),)),
    Script("result is a web page", (at("result", html=True),)),
    Script("result garbage", (at("result", garbage=True),)),
    Script("result truncated", (at("result", truncated=True),)),
    Script("result empty", (at("result", empty=True),)),
    Script("result hangs", (at("result", hang=3),)),
    Script("result too slow", (at("result", hang_after=3),)),
    Script("result redirected", (at("result", redirect="https://evil.example/v1"),)),
    Script("result HTTP 200 with a server's error", (refusal("result", 200, 500001, times=2),)),
    Script("result is not ready, as an error", (refusal("result", 400, 400005, times=3),)),
    Script("result is not ready, as a state", (at("result", 2, edit=put(status="in_progress", output=None)),)),
    Script("result is queued again", (at("result", edit=put(status="in_queue", output=None)),)),
    Script("result 404 at first", (at("result", 3, status=404),)),
    Script("result 404 for ten seconds", (at("result", 6, status=404),), ((NotFound, RECOVERABLE),)),
    Script("result of an unknown state", (at("result", edit=put(status="melted")),), ((ProtocolError, "melted"),)),
    Script("result 401", (at("result", status=401),), ((Unauthorized, RECOVERABLE),)),
    Script("result output comes late", (at("result", 2, edit=put(output=None)),)),
    Script("result output is a number", (at("result", 5, edit=put(output=5)),),
           ((ProtocolError, f"(?s)does not understand{AGAIN}"),)),
    Script("result of a safety block", (at("job", blocked=True),),
           ((JobFailed, "(?s)without an image.*safety.*Charged: yes, \\$0.10.*jobs retry"),), 2, allowed=True),
    Script("job fails", (at("job", fails="nsfw content"),),
           ((JobFailed, "(?s)Reason given: nsfw content.*Charged: no"),)),
    Script("job fails in the result", (at("job", fails="nsfw", fails_in="result"),),
           ((JobFailed, "(?s)nsfw.*Charged: no\\."),)),
    Script("job fails with an object", (at("job", fails={"message": "no faces", "code": 7}),),
           ((JobFailed, "no faces"),)),
    Script("job fails without a word", (at("job", fails=""),),
           ((JobFailed, "(?s)failed at the provider.*Request: "),)),
)  # fmt: skip

HOSTILE = (
    "http://169.254.169.254/x.png",
    "https://169.254.169.254/x.png",
    "https://evil.example/x.png",
    "https://files.runcomfy.net.evil.example/x.png",
    "https://evilruncomfy.net/x.png",
    "https://user@files.runcomfy.net/x.png",
    "https://files.runcomfy.net:secret@evil.example/x.png",
    "https://files.runcomfy.net\\@evil.example/x.png",
    "https://files.runcomfy.net:8443/x.png",
    "http://files.runcomfy.net/x.png",
    "ftp://files.runcomfy.net/x.png",
    "file:///etc/passwd",
    "//files.runcomfy.net/x.png",
    "https://[::1]/x.png",
    "https://127.1/x.png",
    "https://2130706433/x.png",
    "https://localhost/x.png",
    "http://127.0.0.1:1/x.png",
    "https://files.runcomfy.net./x.png",
    "https://files.runcomfy.net/\r\nHost: evil.example",
    "javascript:alert(1)",
    "https://" + "a" * 9000 + ".runcomfy.net/x.png",
)
URLS = tuple(Script(f"file at {url[:50]!r}", (one_file(url),), ((UntrustedUrl, NOT_FETCHED),)) for url in HOSTILE)

FILES = (
    Script("file 404 just after the end", (at("file", 3, status=404),)),
    Script("file 404 for ten seconds", (at("file", 6, status=404),),
           ((FileGone, "(?s)HTTP 404.*Charged: yes.*without a new charge"),)),
    Script("file expired", (at("file", status=410),), ((FileGone, "(?s)HTTP 410.*expire.*jobs retry"),)),
    Script("file refused", (at("file", status=403),), ((DownloadError, "(?s)HTTP 403.*without a new charge"),)),
    Script("file 429", (busy("5", 2, "file"),)),
    Script("file 500", (at("file", 4, status=500),)),
    Script("file 503", (at("file", status=503),)),
    Script("file reset", (at("file", 3, reset=True),)),
    Script("file lost", (at("file", lost=True),)),
    Script("file truncated, resumed", (at("file", truncated=True),)),
    Script("file truncated, no ranges", (at("file", 2, truncated=True),), account={"ranges": False}),
    Script("file is a web page once", (at("file", html=True),)),
    Script("file is a web page for good", (at("file", 3, html=True),),
           ((Undecodable, "(?s)web page.*Charged: yes.*without a new charge"),)),
    Script("file garbage", (at("file", garbage=True),)),
    Script("file empty", (at("file", empty=True),)),
    Script("file cut short, as if whole", (at("file", 2, cut=0.5),)),
    Script("file cut short three times", (at("file", 3, cut=0.5),),
           ((Undecodable, "(?s)cannot be decoded.*Charged: yes"),)),
    Script("file is a GIF", (at("file", 3, content=b"GIF89a" + bytes(99), content_type="image/gif"),),
           ((Undecodable, "cannot be decoded"),)),
    Script("file is a bomb", (at("file", bomb=True),), ((TooLarge, "(?s)pixels.*Charged: yes"),)),
    Script("file endless", (at("file", endless=True),), ((TooLarge, "(?s)answer has more than .*Charged: yes"),)),
    Script("file announces a terabyte", (at("file", length=10**12),), ((TooLarge, "(?s)announces.*Charged: yes"),)),
    Script("file announces ten bytes", (at("file", length=10),)),
    Script("file of another type", (at("file", content_type="text/plain"),)),
    Script("file hangs", (at("file", hang=3),)),
    Script("file drips", (at("file", drip=0.02),)),
    Script("file redirected off the list", (at("file", redirect="https://evil.example/x.png"),),
           ((UntrustedUrl, "not on a trusted host"),)),
    Script("file redirected to the metadata service", (at("file", redirect="http://169.254.169.254/x.png"),),
           ((UntrustedUrl, "not fetched"),)),
    Script("file redirected to another port", (at("file", redirect="http://127.0.0.1:1/x.png"),),
           ((UntrustedUrl, "not fetched"),)),
    Script("file redirected in a circle", (at("file", 4, redirect="?"),), ((UntrustedUrl, "more than 3 times"),)),
)  # fmt: skip


def inline(uri: str) -> Fault:
    return at("result", edit=put(output={"image": uri}))


SYNC = tuple(
    Script(f"sync_mode, {name}", faults, shown, values={"sync_mode": True})
    for name, faults, shown in (
        ("fine", (), ()),
        ("result broken off", (at("result", 2, truncated=True),), ()),
        ("no base64", (inline("data:image/png;base64,@@@@"),), ((Undecodable, "(?s)base64.*Charged: yes"),)),
        ("no image", (inline("data:text/html,<b>"),), ((Undecodable, "data URI"),)),
        ("cut image", (inline("data:image/png;base64,iVBORw0KGgo="),), ((Undecodable, "PNG"),)),
        ("huge image", (inline("data:image/png;base64," + "A" * 2**21),), ((Undecodable, "cannot be decoded"),)),
    )
)

COMBINED = (
    Script("bad at every step", (
        busy("1", 2), at("status", 2, status=502), at("status", after=2, reset=True), at("result", html=True),
        at("file", 2, status=404), at("file", truncated=True))),
    Script("lost at submit, then bad at every step", (
        at("submit", lost=True), at("status", 3, status=503), at("result", 2, reset=True), at("file", lost=True)),
        (UNKNOWN,), 2),
    Script("refused, then too many, then lost, then fine", (
        at("submit", status=402), busy("1", RATE_LIMITED_ATTEMPTS), at("submit", lost=True)),
        ((InsufficientBalance, "Charged: no"), (RateLimited, "Charged: no"), UNKNOWN), 2),
    Script("unknown state, then 401, then a bad file", (
        at("status", edit=put(status="melting")), at("status", status=401, after=1), at("file", 3, html=True)),
        ((ProtocolError, "melting"), (Unauthorized, RECOVERABLE), (Undecodable, "web page"))),
    Script("fails, then blocked, then fine", (at("job", fails="x"), at("job", blocked=True)),
        ((JobFailed, "Reason given: x"), (JobFailed, "without an image")), 2, allowed=True),
    Script("a long queue under faults", (
        at("status", 4, status=500, after=1), at("status", garbage=True, after=2)),
        account={"queue_seconds": 0.1, "run_seconds": 0.1}),
    Script("edit with faults", (
        busy("1"), at("status", reset=True), at("result", empty=True), at("file", truncated=True)),
        values={"image_1": image()}),
    Script("tolerated forms under faults", (
        busy("1"), at("status", html=True), refusal("result", 400, 400005), at("file", 2, status=404)),
        account={"answers": "tolerated"}),
)  # fmt: skip

MATRIX = FINE + SUBMIT + STATUS + RESULT + URLS + FILES + SYNC + COMBINED


@pytest.fixture
def clock(runner: Runner) -> Skipping:
    """Waiting takes no time; ``runner`` has set up where the nodes look for their account."""
    assert runner.state
    return hurry()


def generate(runner: Runner, values: dict[str, object]):
    if "sync_mode" in values or "image_1" in values:
        return runner.run(PRO_EDIT, **{"prompt": "make it blue", "image_1": image(), **values})
    return runner.run(TEXT_TO_IMAGE, **{"prompt": "a fox", "resolution": "0.5K", **values})


@pytest.mark.parametrize("script", [pytest.param(script, id=script.name) for script in MATRIX])
def test_one_job_is_paid_and_delivered(runner: Runner, api: Emulator, clock: Skipping, script: Script) -> None:
    for name, value in script.account.items():
        setattr(api, name, value)
    for fault in script.faults:
        api.fault(fault)
    for kind, pattern in script.shown:
        with pytest.raises(kind, match=pattern) as raised:
            generate(runner, script.values)
        assert str(raised.value) in runner.host.last.text(), "the node shows the whole receipt"
    if script.allowed:
        service().journal.allow_retry(str(api.jobs[-1].request_id))
    batches, urls, request_id = generate(runner, script.values)

    assert len(api.billed) == script.billed
    job = next(job for job in api.jobs if job.request_id == request_id)
    assert same(delivered(batches), drawn(api, job))
    assert runner.jobs()[0].state == "delivered"
    assert all("Authorization" not in call.headers for call in api.calls if call.what in ("file", "other"))
    assert re.search(script.text, runner.host.text)
    calls = len(api.calls)
    again = generate(runner, script.values)
    assert len(api.calls) == calls, "the same inputs once more: no network, no charge"
    assert same(delivered(again[0]), delivered(batches)) and again[1:] == (urls, request_id)
    assert clock.slept < 1800


def test_a_job_that_outlasts_its_deadline_is_collected_later(
    runner: Runner, api: Emulator, clock: Skipping
) -> None:
    service().jobs.deadline = 60.0
    api.hold_running = True
    for _ in range(2):
        with pytest.raises(JobTimedOut, match=RECOVERABLE):
            generate(runner, {})
    assert clock.slept > 100
    api.hold_running = False
    batches, _, _ = generate(runner, {})
    assert len(api.jobs) == 1 and same(delivered(batches), drawn(api, api.jobs[0]))
    assert "it is not paid twice" in runner.host.last.text()


@pytest.mark.usefixtures("clock")
def test_a_request_that_is_long_gone_is_told_and_then_submitted_anew(runner: Runner, api: Emulator) -> None:
    api.fault(at("status", 12, status=404))
    with pytest.raises(NotFound, match=RECOVERABLE):
        generate(runner, {})
    with closing(sqlite3.connect(runner.state / FILE_NAME)) as db, db:
        db.execute(OLD)
    with pytest.raises(NotFound, match=r"(?s)Charged: not known.*generations\. Running again submits a new job"):
        generate(runner, {})
    generate(runner, {})
    assert [row.state for row in runner.jobs()] == ["delivered", "expired"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("kept", [True, False])
def test_delivered_images_outlive_their_hosted_files(runner: Runner, api: Emulator, kept: bool) -> None:
    first = generate(runner, {})
    api.fault(at("file", None, status=410))
    if not kept:
        shutil.rmtree(runner.state / "kept")
    if kept:
        assert same(delivered(generate(runner, {})[0]), delivered(first[0]))
        assert len(api.jobs) == 1 and "Same inputs: kept copy, no charge" in runner.host.last.text()
    else:
        with pytest.raises(FileGone, match=f"jobs retry {first[2]}"):
            generate(runner, {})
        assert len(api.jobs) == 1


@pytest.mark.usefixtures("clock")
def test_delivered_images_that_are_not_kept_are_fetched_again(runner: Runner, api: Emulator) -> None:
    first = generate(runner, {})
    [image] = (runner.state / "kept").glob("*/00")
    image.write_bytes(image.read_bytes()[:-40])
    again = generate(runner, {})
    assert same(delivered(again[0]), delivered(first[0])) and again[1:] == first[1:]
    assert len(api.jobs) == 1 and api.count("file") == 2
    assert "Kept copy" not in runner.host.last.text()


@pytest.mark.usefixtures("clock")
def test_a_delivered_job_that_is_said_to_be_cancelled_is_told_and_not_paid_anew(
    runner: Runner, api: Emulator
) -> None:
    generate(runner, {})
    shutil.rmtree(runner.state / "kept")
    api.fault(at("file", 1, status=403))
    api.fault(at("status", None, edit=put(status="cancelled")))
    with pytest.raises(JobFailed, match=r"(?s)now says that it was cancelled.*Charged: yes, \$0\.10"):
        generate(runner, {})
    api.clear_faults()
    generate(runner, {})
    assert len(api.jobs) == 1 and runner.jobs()[0].state == "delivered"


@pytest.mark.usefixtures("clock")
def test_collecting_in_vain_does_not_speak_of_a_new_submission(runner: Runner, api: Emulator) -> None:
    def collect(request_id: str) -> None:
        runner.collect(request_id)

    with pytest.raises(NotFound, match=r"Next: Compare the request id with https://www\.runcomfy"):
        collect("nobody-knows-it")
    api.fault(Fault("job", fails="It broke."))
    request_id = service().client.submit(TEXT_TO_IMAGE.model_id, b'{"prompt": "from another machine"}')
    with pytest.raises(JobFailed, match=r"Next: There is nothing to collect\."):
        collect(request_id)


@pytest.mark.usefixtures("clock")
def test_a_time_that_is_not_known_is_not_told(runner: Runner) -> None:
    request_id = service().client.submit(TEXT_TO_IMAGE.model_id, b'{"prompt": "from another machine"}')
    runner.collect(request_id)
    assert runner.host.last.headline() == "1 image delivered, $0.10"


@pytest.mark.usefixtures("clock")
def test_nothing_is_paid_where_no_connection_is_made(runner: Runner, api: Emulator) -> None:
    api.stop()
    with pytest.raises(ConnectionFailed, match=r"(?s)No connection.*Charged: no"):
        generate(runner, {})
    threads.finish()
    assert runner.jobs() == []
    api.start()
    generate(runner, {})
    assert len(api.jobs) == 1


@pytest.mark.usefixtures("clock")
def test_a_service_that_goes_away_for_a_while_is_waited_for(runner: Runner, api: Emulator) -> None:
    api.hold = True

    async def run() -> tuple[list[torch.Tensor], str, str]:
        task = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="a fox", resolution="0.5K"))
        while not api.jobs:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(api.stop)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(api.start)
        api.hold = False
        return await task

    service().jobs.clock = Clock()
    batches, _, _ = asyncio.run(run())
    assert len(api.jobs) == 1 and same(delivered(batches), drawn(api, api.jobs[0]))


@pytest.mark.usefixtures("clock")
def test_a_broken_file_is_resumed_where_it_broke(runner: Runner, api: Emulator) -> None:
    api.fault(at("file", truncated=True))
    generate(runner, {})
    first, second = (call for call in api.calls if call.what == "file")
    assert "Range" not in first.headers
    assert re.fullmatch(r"bytes=\d+-", second.headers["Range"]) and second.headers["If-Range"]


@pytest.mark.usefixtures("clock")
def test_twins_are_all_told_of_a_lost_answer_and_none_pays_again(runner: Runner, api: Emulator) -> None:
    api.fault(at("submit", hang_after=0.5))
    hurry(0.3)

    async def twins() -> list[object]:
        starts = (runner.start(TEXT_TO_IMAGE, prompt="a fox", resolution="0.5K") for _ in range(4))
        return await asyncio.gather(*starts, return_exceptions=True)

    assert [type(end) for end in asyncio.run(twins())] == [SubmissionUnknown] * 4
    assert api.count("submit") == 1


PASSING: dict[str, tuple[dict[str, Any], ...]] = {
    "submit": ({"status": 429}, {"status": 429, "headers": {"Retry-After": "3"}}),
    "status": (
        {"reset": True}, {"lost": True}, {"status": 502}, {"status": 429}, {"html": True}, {"garbage": True},
        {"truncated": True}, {"empty": True}, {"status": 404}, {"edit": put(status="in_progress")},
        {"edit": put(status="melting")}, {"status": 401},
    ),
    "result": (
        {"reset": True}, {"lost": True}, {"status": 503}, {"html": True}, {"garbage": True}, {"truncated": True},
        {"edit": put(status="in_progress", output=None)}, {"status": 400, "body": {"error_code": 400005}},
        {"edit": put(output={"image": "https://evil.example/x.png"})}, {"edit": put(cost=None)},
    ),
    "file": (
        {"reset": True}, {"lost": True}, {"status": 404}, {"status": 500}, {"html": True}, {"garbage": True},
        {"truncated": True}, {"cut": 0.7}, {"status": 403}, {"length": 7}, {"redirect": "https://evil.example/"},
    ),
}  # fmt: skip


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("seed", range(8))
def test_a_storm_is_paid_once(runner: Runner, api: Emulator, seed: int) -> None:
    dice = random.Random(seed)
    lost = seed % 3
    if lost:
        api.fault(at("submit", lost, lost=True))
    for _ in range(25):
        place = dice.choice(list(PASSING))
        api.fault(at(place, dice.randint(1, 4), dice.randint(0, 6), **dice.choice(PASSING[place])))
    api.queue_seconds = api.run_seconds = 0.05

    async def some_runs() -> list[object]:
        starts = (runner.start(TEXT_TO_IMAGE, prompt="a fox", resolution="0.5K", num_images=2) for _ in range(3))
        return await asyncio.gather(*starts, return_exceptions=True)

    for _ in range(40):
        ends = asyncio.run(some_runs())
        assert all(isinstance(end, tuple | PackError) for end in ends)
        assert all("Charged: " in str(end) and "Next: " in str(end) for end in ends if isinstance(end, PackError))
        if all(isinstance(end, tuple) and len(delivered(end[0])) == 2 for end in ends):
            break
    assert len(api.billed) == 1 + lost
    assert all(same(delivered(end[0]), drawn(api, api.jobs[-1])) for end in ends if isinstance(end, tuple))
    assert [row.state for row in runner.jobs()] == ["delivered"] + ["unknown"] * lost
