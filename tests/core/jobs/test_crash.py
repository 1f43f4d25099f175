"""``kill -9`` of a real process at each step of a job's life, and several processes on one state folder."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hurry import drawn, wait_until
from processes import GRACE, Nursery, RunContext, digest
from support import Interrupted, RecordingHost, Runner

from emulator import Emulator, Fault
from nodes.core import threads
from nodes.core.jobs.progress import Stage
from nodes.core.store.journal import FILE_NAME

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and kills as POSIX does")

INPUTS = {"prompt": "a fox", "resolution": "0.5K"}
TOLD = "failed SubmissionUnknown: An earlier run of the same inputs was sent"


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def start(
    runner: Runner, nursery: Nursery, tmp_path: Path, record: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., RunContext]]:
    monkeypatch.setenv("RUNCOMFY_JOURNAL", record)
    monkeypatch.setenv(GRACE, "0.5")
    assert not runner.state.exists()
    started: list[RunContext] = []

    def start_one(pause_at: str = "") -> RunContext:
        started.append(nursery.start(tmp_path / f"run{len(started)}", pause_at, **INPUTS))
        return started[-1]

    yield start_one
    for run in started:
        if run.lives():
            run.kill()


def images(api: Emulator) -> str:
    """Return what the delivering run says of the last job's images."""
    return f"delivered {digest(drawn(api, api.jobs[-1]))}"


@dataclass(frozen=True)
class Death:
    """Where a run is killed, how many runs are told of a loss before one delivers, and how many jobs are billed."""

    name: str
    pause_at: str = ""
    fault: Fault | None = None
    hold: str = ""
    when: Callable[[Emulator, RunContext], bool] = lambda api, run: False  # noqa: ARG005
    told: int = 0
    billed: int = 1


def paused(stage: str) -> Callable[[Emulator, RunContext], bool]:
    return lambda _, run: run.reached(stage)


DEATHS = (
    Death("preparing", "preparing", when=paused("preparing")),
    Death("about to post", "submitting", when=paused("submitting")),
    Death("waiting after 429", fault=Fault("submit", status=429, headers={"Retry-After": "50"}),
          when=lambda api, _: api.count("submit") == 1 and api.calls[-1].status == 429),
    Death("posted, not accepted", fault=Fault("submit", hang=30), told=1,
          when=lambda api, _: api.count("submit") == 1),
    Death("accepted, not answered", fault=Fault("submit", hang_after=30), told=1, billed=2,
          when=lambda api, _: len(api.jobs) == 1),
    Death("in the queue", "queued", hold="hold", when=paused("queued")),
    Death("running", "running", hold="hold_running", when=paused("running")),
    Death("downloading", "downloading", when=paused("downloading")),
    Death("a file hangs", fault=Fault("file", hang=30), when=lambda api, _: api.count("file") == 1),
    Death("downloaded, not handed out", "downloading+", when=paused("downloading+")),
    Death("delivered", "delivered+", when=paused("delivered+")),
)  # fmt: skip


@pytest.mark.parametrize("death", [pytest.param(death, id=death.name) for death in DEATHS])
def test_a_killed_process_loses_nothing(
    api: Emulator, runner: Runner, start: Callable[..., RunContext], death: Death
) -> None:
    if death.fault:
        api.fault(death.fault)
    if death.hold:
        setattr(api, death.hold, True)
    victim = start(death.pause_at)
    wait_until(lambda: death.when(api, victim))
    if death.name == "waiting after 429":
        wait_until(lambda: runner.jobs()[0].state == "preparing")
    victim.kill()
    if death.hold:
        setattr(api, death.hold, False)
    for _ in range(death.told):
        assert start().result().startswith(TOLD)
    assert start().result() == images(api)
    assert len(api.billed) == death.billed
    assert sum(job.state == "delivered" for job in runner.jobs()) == 1
    calls = len(api.calls)
    assert start().result() == images(api)
    assert len(api.calls) == calls


def test_two_processes_with_the_same_inputs_pay_once(api: Emulator, start: Callable[..., RunContext]) -> None:
    api.queue_seconds = api.run_seconds = 0.2
    runs = [start() for _ in range(3)]
    assert {run.result() for run in runs} == {images(api)}
    assert len(api.jobs) == 1


def test_processes_keep_to_one_budget(
    api: Emulator,
    nursery: Nursery,
    start: Callable[..., RunContext],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 4K the emulator charges twice its base price, which nobody knows before the first job has ended."""
    assert start
    monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", "0.5")
    api.fault(Fault("job", times=None, sizes=[(32, 32)]))
    api.run_seconds = 0.3
    prompts = ("a fox", "an owl", "a hare", "a seal", "a crow")
    runs = [nursery.start(tmp_path / prompt, prompt=prompt, resolution="4K") for prompt in prompts]
    ends = [run.result() for run in runs]
    assert sum(end.startswith("delivered") for end in ends) == 2
    assert sum(end.startswith("failed OverBudget") for end in ends) == 3
    assert sum(job.cost for job in api.billed) == pytest.approx(0.4)


def test_a_process_takes_over_from_one_that_dies_while_it_waits(
    api: Emulator, start: Callable[..., RunContext]
) -> None:
    first = start("preparing")
    wait_until(lambda: first.reached("preparing"))
    second = start()
    wait_until(lambda: second.log.exists())
    first.kill()
    assert second.result() == images(api)
    assert len(api.jobs) == 1


def test_a_process_that_waits_is_told_when_the_other_dies_in_its_post(
    api: Emulator, start: Callable[..., RunContext]
) -> None:
    api.fault(Fault("submit", hang_after=30))
    first = start()
    wait_until(lambda: api.jobs)
    second = start()
    wait_until(lambda: second.log.exists())
    first.kill()
    assert second.result().startswith(TOLD)
    assert api.count("submit") == 1


def test_a_second_process_goes_on_with_the_job_of_the_first(
    api: Emulator, start: Callable[..., RunContext]
) -> None:
    api.hold = True
    first = start()
    wait_until(lambda: first.reached("queued"))
    second = start()
    wait_until(lambda: second.reached("queued"))
    api.hold = False
    assert first.result() == second.result() == images(api)
    assert len(api.jobs) == 1
    assert any("it is not paid twice" in line for line in second.lines)


def waiting(runner: Runner) -> int:
    """Return how many runs are recorded as waiting for a job."""
    with closing(sqlite3.connect(runner.state / FILE_NAME)) as db:
        return int(db.execute("SELECT COUNT(*) FROM waiters").fetchone()[0])


def stop_in_the_queue(runner: Runner) -> str:
    """Run here, press Stop once the job is queued, and return what the node says last."""
    runner.host = RecordingHost()
    runner.host.stop_at = Stage.QUEUED
    with pytest.raises(Interrupted):
        runner.text_to_image(**INPUTS)
    threads.finish()
    return runner.host.last.text()


@pytest.mark.sqlite
def test_stop_cancels_a_queued_job_only_where_no_other_process_waits_for_it(
    runner: Runner, api: Emulator, start: Callable[..., RunContext]
) -> None:
    api.hold = True
    other = start()
    wait_until(lambda: other.reached("queued") and waiting(runner) == 1)
    assert "Another run waits for this job, so it was not cancelled." in stop_in_the_queue(runner)
    assert api.count("cancel") == 0 and waiting(runner) == 1
    other.kill()
    assert "Cancelled while it was queued" in stop_in_the_queue(runner), "the dead wait for nothing"
    api.hold = False
    assert start().result() == images(api)
    assert len(api.jobs) == 2 and len(api.billed) == 1


@pytest.mark.sqlite
def test_the_other_process_gets_its_images_after_stop_here(
    runner: Runner, api: Emulator, start: Callable[..., RunContext]
) -> None:
    api.hold = True
    other = start()
    wait_until(lambda: other.reached("queued") and waiting(runner) == 1)
    stop_in_the_queue(runner)
    api.hold = False
    assert other.result() == images(api)
    assert len(api.jobs) == 1 and api.count("cancel") == 0
