"""Stop, and the failure of a sibling node, at every stage: at once, nothing lost, and the truth is told."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from hurry import Skipping, delivered, drawn, limit, same, service
from support import TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner

from emulator import Answers, Emulator, Fault
from nodes.app.service import close_services
from nodes.comfyui.runtime import ComfyHost
from nodes.core import threads
from nodes.core.errors import PackError, SubmissionUnknown
from nodes.core.jobs import submit
from nodes.core.jobs.progress import Progress, Stage
from nodes.core.jobs.runner import JobRunner
from nodes.core.jobs.waiting import Clock
from nodes.core.store.job import Claimed, NewJob
from nodes.core.store.journal import FILE_NAME

AT_ONCE = 1.0
"""Seconds: a tenth is promised; the rest is room for a busy machine."""
ANSWER_SECONDS = 1.0
INPUTS: dict[str, object] = {"prompt": "a fox", "resolution": "0.5K"}


@pytest.fixture(autouse=True)
def _patience(runner: Runner) -> None:
    assert not runner.state.exists()
    limit(ANSWER_SECONDS)


def sent(what: str) -> Callable[[Runner], bool]:
    return lambda runner: runner.api.count(what) > 0


def told(stage: Stage) -> Callable[[Runner], bool]:
    return lambda runner: any(report.stage is stage for report in runner.host.reports)


@dataclass(frozen=True)
class Moment:
    """A stage of a job's life: how it is brought about, and how it is seen."""

    name: str
    seen: Callable[[Runner], bool]
    faults: tuple[Fault, ...] = ()
    holds: tuple[str, ...] = ()
    stopped: tuple[str, int] = ("", 0)
    """After Stop: the job's state in the journal ('' for no job at all), and how many jobs there are."""
    broken_off: tuple[str, int] = ("submitted", 1)
    """The same after the failure of a sibling."""


WAIT = {"headers": {"Retry-After": "2"}}
QUEUE, RUN = ("hold",), ("hold_running",)
MOMENTS = (
    Moment("preparing", told(Stage.PREPARING), (Fault("submit", hang=0.4),), QUEUE, ("cancelled", 1)),
    Moment("POST not yet accepted", sent("submit"), (Fault("submit", hang=0.4),), QUEUE, ("cancelled", 1)),
    Moment("POST accepted", lambda runner: bool(runner.api.jobs), (Fault("submit", hang_after=0.4),), QUEUE,
           ("cancelled", 1)),
    Moment("POST accepted, job runs", lambda runner: bool(runner.api.jobs), (Fault("submit", hang_after=0.4),), RUN,
           ("submitted", 1)),
    Moment("POST whose answer is lost", lambda runner: bool(runner.api.jobs), (Fault("submit", hang_after=9),), (),
           ("lost", 1), ("lost", 1)),
    Moment("429 at submit", sent("submit"), (Fault("submit", status=429, **WAIT),), (), ("", 0), ("", 0)),
    Moment("in the queue", told(Stage.QUEUED), (), QUEUE, ("cancelled", 1)),
    Moment("running", told(Stage.RUNNING), (), RUN, ("submitted", 1)),
    Moment("status hangs", sent("status"), (Fault("status", hang=9),), QUEUE, ("cancelled", 1)),
    Moment("status 503, waiting", sent("status"), (Fault("status", status=503, **WAIT),), QUEUE, ("cancelled", 1)),
    Moment("result hangs", sent("result"), (Fault("result", hang=9),), (), ("submitted", 1)),
    Moment("downloading", sent("file"), (Fault("file", hang=9),), (), ("submitted", 1)),
    Moment("file 404, waiting", sent("file"), (Fault("file", status=404, times=3),), (), ("submitted", 1)),
)  # fmt: skip
EACH = pytest.mark.parametrize("moment", [pytest.param(moment, id=moment.name) for moment in MOMENTS])


def bring_about(api: Emulator, moment: Moment) -> None:
    for fault in moment.faults:
        api.fault(fault)
    for hold in moment.holds:
        setattr(api, hold, True)


def until(runner: Runner, seen: Callable[[Runner], bool], end: Callable[[asyncio.Task[Any]], None]) -> float:
    """Start a node, end it as asked once something is seen, and return how long it takes to let go."""

    async def watched() -> float:
        task = asyncio.create_task(runner.start(TEXT_TO_IMAGE, **INPUTS))
        while not seen(runner):
            assert not task.done(), await task
            await asyncio.sleep(0.005)
        began = time.monotonic()
        end(task)
        try:
            await task
        except (Interrupted, asyncio.CancelledError):
            return time.monotonic() - began
        raise AssertionError("the run was not broken off")

    return asyncio.run(watched())


def stop(runner: Runner, seen: Callable[[Runner], bool]) -> float:
    def press(_: asyncio.Task[Any]) -> None:
        runner.host.stop_now = True

    return until(runner, seen, press)


def collect(runner: Runner) -> None:
    """Run the same inputs again until the images are there, and check them."""
    runner.host = RecordingHost()
    service().jobs.clock = Skipping()
    batches, _, request_id = runner.run(TEXT_TO_IMAGE, **INPUTS)
    job = next(job for job in runner.api.jobs if job.request_id == request_id)
    assert same(delivered(batches), drawn(runner.api, job))


def states(runner: Runner) -> list[str]:
    return [row.state for row in runner.jobs()]


@EACH
def test_stop_returns_at_once_and_loses_nothing(runner: Runner, api: Emulator, moment: Moment) -> None:
    bring_about(api, moment)
    assert stop(runner, moment.seen) < AT_ONCE
    threads.finish()
    state, jobs = moment.stopped
    if moment.name == "preparing" and not api.jobs:
        state, jobs = "", 0  # the POST had not begun yet
    assert (states(runner), len(api.jobs)) == ([state] if state else [], jobs)
    check_told(runner, state)

    for hold in moment.holds:
        setattr(api, hold, False)
    if state == "lost":
        with pytest.raises(SubmissionUnknown, match="An earlier run of the same inputs was sent"):
            collect(runner)
    collect(runner)
    assert len(api.billed) == (2 if state == "lost" else 1)
    assert len(api.jobs) == jobs + (state in ("", "cancelled", "lost"))


def check_told(runner: Runner, state: str) -> None:
    text = runner.host.text
    assert ("Cancelled while it was queued: not charged." in text) == (state == "cancelled")
    ends = "can no longer be cancelled" in text or "without a new charge" in text
    assert ends == (state == "submitted")


@EACH
def test_the_failure_of_a_sibling_loses_nothing(runner: Runner, api: Emulator, moment: Moment) -> None:
    bring_about(api, moment)
    assert until(runner, moment.seen, lambda task: task.cancel() and None) < AT_ONCE
    threads.finish()
    state, jobs = moment.broken_off
    if moment.name == "preparing" and not api.jobs:
        state, jobs = "", 0
    assert (states(runner), len(api.jobs)) == ([state] if state else [], jobs)
    assert api.count("cancel") == 0, "nobody asked for Stop"

    for hold in moment.holds:
        setattr(api, hold, False)
    if state == "lost":
        with pytest.raises(SubmissionUnknown):
            collect(runner)
    collect(runner)
    assert len(api.jobs) == len(api.billed) == (1 if state != "lost" else 2)


@contextmanager
def busy_journal(runner: Runner) -> Iterator[None]:
    """Let another program hold the journal's file."""
    with closing(sqlite3.connect(runner.state / FILE_NAME, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


@pytest.mark.parametrize("stopped", [True, False])
def test_a_claim_that_nobody_waits_for_is_given_back(runner: Runner, api: Emulator, stopped: bool) -> None:
    began = time.monotonic()

    def end(task: asyncio.Task[Any]) -> None:
        runner.host.stop_now = stopped
        if not stopped:
            task.cancel()

    with busy_journal(runner):
        assert until(runner, lambda _: time.monotonic() > began + 0.4, end) < AT_ONCE
    threads.finish()
    assert states(runner) == []
    collect(runner)
    assert len(api.jobs) == 1


def test_a_submission_that_was_given_up_before_it_began_posts_nothing(runner: Runner, api: Emulator) -> None:
    """As when all threads are busy: Stop comes before the POST has one."""
    one = service()
    claim = one.journal.claim(NewJob("fingerprint", one.account, TEXT_TO_IMAGE.model_id))
    assert isinstance(claim, Claimed)
    post = submit.Submission(one.client, one.journal, claim.job, runner.host)
    post.give_up(cancel=True)
    post.attempt(b'{"prompt": "a fox"}')
    assert api.count("submit") == 0 and states(runner) == []


def test_what_stop_leaves_behind_is_recorded_before_the_journal_closes(runner: Runner, api: Emulator) -> None:
    api.hold = True
    api.fault(Fault("submit", hang_after=0.4))
    stop(runner, lambda _: bool(api.jobs))
    close_services()
    assert states(runner) == ["cancelled"] and not api.billed


def test_twins_stop_together_and_one_job_is_cancelled(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("submit", hang_after=0.5))
    api.hold = True

    async def twins() -> list[object]:
        tasks = [asyncio.create_task(runner.start(TEXT_TO_IMAGE, **INPUTS)) for _ in range(3)]
        while not api.jobs:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.25)
        runner.host.stop_now = True
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(end) for end in asyncio.run(twins())] == [Interrupted] * 3
    threads.finish()
    assert states(runner) == ["cancelled"]
    assert len(api.jobs) == 1 and not api.billed


def test_a_job_is_cancelled_by_the_last_of_those_that_wait_for_it(runner: Runner, api: Emulator) -> None:
    """As with two pages, or a shell beside the page: each has a Stop of its own."""
    api.hold = True
    hosts = [RecordingHost() for _ in range(3)]

    async def one_after_another() -> list[int]:
        tasks = [asyncio.create_task(runner.start(TEXT_TO_IMAGE, host, **INPUTS)) for host in hosts]
        while not all(host.reports and host.last.stage is Stage.QUEUED for host in hosts):
            await asyncio.sleep(0.005)
        await asyncio.to_thread(threads.start(lambda: None).result)
        cancels = []
        for host, task in zip(hosts, tasks, strict=True):
            host.stop_now = True
            with pytest.raises(Interrupted):
                await task
            await asyncio.to_thread(threads.finish)
            cancels.append(api.count("cancel"))
        return cancels

    assert asyncio.run(one_after_another()) == [0, 0, 1]
    assert states(runner) == ["cancelled"]
    assert "Another run waits for this job" in hosts[0].last.text()
    assert "Cancelled while it was queued" in hosts[2].last.text()


def test_a_run_that_ended_in_another_way_waits_no_longer(runner: Runner, api: Emulator) -> None:
    """The host cancels the siblings of a node that failed; a later Stop is not held up by them."""
    api.hold = True
    until(runner, told(Stage.QUEUED), lambda task: task.cancel() and None)
    api.fault(Fault("status", status=401))
    with pytest.raises(PackError):
        collect(runner)
    service().jobs.clock = Clock()
    runner.host = RecordingHost()
    stop(runner, told(Stage.QUEUED))
    threads.finish()
    assert states(runner) == ["cancelled"]


def test_a_node_that_fails_takes_its_siblings_down_and_their_jobs_live_on(runner: Runner, api: Emulator) -> None:
    """As the host does: the first error cancels the others."""
    api.fault(Fault("job", fails="nsfw"))
    api.run_seconds = lambda body: 0.0 if body["prompt"] == "bad" else 0.6

    async def prompt() -> None:
        first = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="bad", resolution="0.5K"))
        while not api.jobs:
            await asyncio.sleep(0.005)
        others = [
            asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt=f"good {n}", resolution="0.5K"))
            for n in range(3)
        ]
        await asyncio.wait([first, *others], return_when=asyncio.FIRST_EXCEPTION)
        for other in others:
            other.cancel()
        ends = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(end).__name__ for end in ends] == ["JobFailed", *["CancelledError"] * 3]

    asyncio.run(prompt())
    threads.finish()
    for number in range(3):
        runner.text_to_image(f"good {number}", resolution="0.5K")
    assert len(api.billed) == 3 and api.count("submit") == 4


# What the cancel says


@pytest.mark.parametrize(
    "faults",
    [
        (Fault("cancel", status=503),),
        (Fault("cancel", status=429),),
        (Fault("cancel", lost=True),),
        (Fault("cancel", reset=True),),
        (Fault("cancel", garbage=True),),
        (Fault("cancel", html=True), Fault("cancel", truncated=True)),
    ],
    ids=lambda faults: " ".join(fault.kind for fault in faults),
)
def test_a_cancel_is_repeated_until_its_outcome_is_known(
    runner: Runner, api: Emulator, faults: tuple[Fault, ...]
) -> None:
    for fault in faults:
        api.fault(fault)
    api.hold = True
    stop(runner, told(Stage.QUEUED))
    threads.finish()
    assert states(runner) == ["cancelled"]
    check_told(runner, "cancelled")


@pytest.mark.parametrize("form", [Answers(cancel_outcome="cancellation_requested"), Answers(cancelled="canceled")])
def test_each_form_of_a_cancel_is_understood(runner: Runner, api: Emulator, form: Answers) -> None:
    api.answers = form
    api.hold = True
    stop(runner, told(Stage.QUEUED))
    threads.finish()
    assert states(runner) == ["cancelled"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("cancel", times=None, status=503),
        Fault("cancel", times=None, hang=9),
        Fault("cancel", times=None, status=401),
        Fault("cancel", times=None, edit=lambda _: {"outcome": "cancellation_requested"}),
        Fault("cancel", times=None, edit=lambda _: {"outcome": "perhaps"}),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_cancel_that_is_not_confirmed_is_never_called_one(
    runner: Runner, api: Emulator, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "CANCEL_TIMEOUT", 0.8)
    api.hold = True
    api.fault(fault)
    stop(runner, told(Stage.QUEUED))
    threads.finish()
    row = runner.jobs()[0]
    assert row.state == "submitted" and "not confirmed" in str(row.outcome)
    assert "not confirmed" in runner.host.last.text() and "not charged" not in runner.host.text
    assert row.request_id and row.request_id in runner.host.last.text()


def test_a_job_that_was_cancelled_after_all_is_replaced_and_it_is_said(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "CANCEL_TIMEOUT", 0.3)
    api.hold = True
    api.fault(Fault("cancel", lost=True))
    stop(runner, told(Stage.QUEUED))
    threads.finish()
    assert states(runner) == ["submitted"] and api.jobs[0].cancelled
    api.hold = False
    collect(runner)
    assert "was cancelled while it was queued. This is a new job." in runner.host.last.text()
    assert states(runner) == ["delivered", "cancelled"]


def test_stop_leaves_a_job_alone_that_is_only_collected(runner: Runner, api: Emulator) -> None:
    api.hold = True
    request_id = service().client.submit(TEXT_TO_IMAGE.model_id, b'{"prompt": "from another machine"}')
    runner.host.stop_at = Stage.QUEUED
    with pytest.raises(Interrupted):
        runner.collect(request_id)
    threads.finish()
    assert api.count("cancel") == 0


# What the host sees


def test_a_cancelled_error_from_inside_becomes_a_receipt(runner: Runner) -> None:
    class Breaking(RecordingHost):
        def report(self, progress: Progress) -> None:
            super().report(progress)
            if progress.stage is Stage.DOWNLOADING:
                raise asyncio.CancelledError

    with pytest.raises(PackError, match=r"(?s)broken off inside the pack.*Charged: not known.*not paid twice"):
        asyncio.run(runner.start(TEXT_TO_IMAGE, Breaking(), **INPUTS))
    collect(runner)
    assert len(runner.api.jobs) == 1


def test_every_report_is_made_in_the_context_of_its_node(runner: Runner, api: Emulator) -> None:
    """The host keeps there which node runs; the last report, on the cancel, comes from a thread."""
    node = contextvars.ContextVar("node", default="")

    class Watching(RecordingHost):
        def __init__(self) -> None:
            super().__init__()
            self.stop_at = Stage.QUEUED
            self.nodes: list[str] = []

        def report(self, progress: Progress) -> None:
            super().report(progress)
            self.nodes.append(node.get())

    async def run(name: str) -> Watching:
        node.set(name)
        host = Watching()
        with pytest.raises(Interrupted):
            await runner.start(TEXT_TO_IMAGE, host, prompt=name)
        return host

    async def both() -> list[Watching]:
        return await asyncio.gather(*(run(name) for name in ("one", "two")))

    api.hold = True
    hosts = asyncio.run(both())
    threads.finish()
    assert [set(host.nodes) for host in hosts] == [{"one"}, {"two"}]
    assert [host.last.stage for host in hosts] == [Stage.STOPPED] * 2


def test_the_hosts_flag_is_read_and_never_consumed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    flag = {"set": True, "read": 0}

    class InterruptProcessingException(Exception):
        pass

    def peek() -> bool:
        flag["read"] += 1
        return bool(flag["set"])

    model_management = ModuleType("comfy.model_management")
    model_management.__dict__.update(
        processing_interrupted=peek, InterruptProcessingException=InterruptProcessingException
    )
    _put_host(monkeypatch, model_management, runner)

    async def both() -> list[object]:
        host = ComfyHost()
        starts: list[Coroutine[Any, Any, Any]] = [
            runner.start(TEXT_TO_IMAGE, host, prompt=text)  # type: ignore[arg-type]
            for text in ("one", "two")
        ]
        return await asyncio.gather(*starts, return_exceptions=True)

    assert [type(end) for end in asyncio.run(both())] == [InterruptProcessingException] * 2
    assert flag["set"] and flag["read"] >= 2


def _put_host(monkeypatch: pytest.MonkeyPatch, model_management: ModuleType, runner: Runner) -> None:
    """Put modules of the host's names in place: without a current node, nothing is shown."""
    modules = {
        name: ModuleType(name) for name in ("comfy", "comfy_execution", "comfy_execution.utils", "folder_paths")
    }
    modules["comfy_execution.utils"].__dict__["get_executing_context"] = lambda: None
    modules["folder_paths"].__dict__["get_user_directory"] = lambda: str(runner.state)
    modules["comfy"].__dict__["model_management"] = model_management
    for name, module in {**modules, "comfy.model_management": model_management}.items():
        monkeypatch.setitem(sys.modules, name, module)


def test_a_receipt_is_told_although_the_host_cancels_the_node_at_that_moment(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        node = asyncio.ensure_future(runner.start(TEXT_TO_IMAGE, prompt="a fox"))

        async def fail(*_: object) -> None:
            # Before the node hears of the end: a sibling failed in the same turn of the loop.
            asyncio.get_running_loop().call_soon(node.cancel)
            raise SubmissionUnknown("earlier_answer_lost")

        monkeypatch.setattr(JobRunner, "run", fail)
        await node

    with pytest.raises(SubmissionUnknown):
        asyncio.run(main())
    assert runner.host.last.failure is not None
    assert runner.host.last.failure.kind == "earlier_answer_lost"
