"""Forty processes on several hosts with one record: killed, cut off, and without their server for a while."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hurry import wait_until
from postgres import Server
from processes import GRACE, Nursery, RunContext
from support import Runner

from emulator import Emulator, Fault

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and kills as POSIX does")

PROCESSES = 40
HOSTS = 4
TAKES = [f"take {number}" for number in range(8)]
SECONDS = 60.0


@dataclass
class Hosts:
    """Runs of takes, each in its own process, on one of several hosts with a state folder of its own."""

    nursery: Nursery
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        self.runs: list[tuple[str, RunContext]] = []

    def start(self, take: str) -> RunContext:
        number = len(self.runs)
        self.monkeypatch.setenv("RUNCOMFY_STATE_DIR", str(self.folder / f"host{number % HOSTS}"))
        run = self.nursery.start(self.folder / f"run{number}", prompt=take, resolution="0.5K")
        self.runs.append((take, run))
        return run

    @property
    def living(self) -> list[RunContext]:
        return [run for _, run in self.runs if run.lives()]

    def wait(self) -> None:
        wait_until(lambda: not self.living, SECONDS)


@pytest.fixture
def hosts(runner: Runner, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    runner.api.queue_seconds, runner.api.run_seconds = 0.3, 1.0
    monkeypatch.setenv("RUNCOMFY_JOURNAL", server.new_database())
    # Longer than a process looks for its lease.
    monkeypatch.setenv(GRACE, "8")
    nursery = Nursery()
    made = Hosts(nursery, tmp_path, monkeypatch)
    yield made
    for run in made.living:
        run.kill()
    nursery.close()


def kill_some(hosts: Hosts, _: Server, chance: random.Random) -> None:
    for run in chance.sample(hosts.living, min(6, len(hosts.living))):
        # One may have ended since it was looked at.
        with contextlib.suppress(ProcessLookupError):
            run.kill()


def end_connections(_: Hosts, server: Server, __: random.Random) -> None:
    server.terminate_all()


def stop_the_server(_: Hosts, server: Server, chance: random.Random) -> None:
    with server.away():
        time.sleep(chance.uniform(0.5, 3.0))


def stop_the_server_for_a_minute(hosts: Hosts, server: Server, _: random.Random) -> None:
    if len(hosts.runs) == PROCESSES // 2:
        with server.away():
            time.sleep(60)


def freeze_the_server(_: Hosts, server: Server, chance: random.Random) -> None:
    server.freeze(True)
    time.sleep(chance.uniform(0.5, 2.0))
    server.freeze(False)


ILLS: dict[str, Callable[[Hosts, Server, random.Random], None]] = {
    "kill -9": kill_some,
    "pg_terminate_backend": end_connections,
    "stopped": stop_the_server,
    "stopped for a minute": stop_the_server_for_a_minute,
    "frozen": freeze_the_server,
}


@pytest.mark.parametrize("ill", ILLS)
def test_forty_processes_pay_once_for_each_take(hosts: Hosts, api: Emulator, server: Server, ill: str) -> None:
    chance = random.Random(ill)
    for number in range(PROCESSES):
        hosts.start(TAKES[number % len(TAKES)])
        if number % 10 == 9:
            ILLS[ill](hosts, server, chance)
    hosts.wait()
    for take in TAKES:
        while not (last := hosts.start(take)).result().startswith("delivered"):
            assert last.result().startswith("failed SubmissionUnknown"), last.lines
    billed = Counter(str(job.body["prompt"]) for job in api.billed)
    told = Counter(take for take, run in hosts.runs if run.lines and "failed SubmissionUnknown" in run.lines[-1])
    assert all(1 <= billed[take] <= 1 + told[take] for take in TAKES), (billed, told)
    assert told.total() == 0 or ill == "kill -9", told
    images = {take: {run.lines[-1] for named, run in hosts.runs if named == take and run.reached("delivered ")}
              for take in TAKES}  # fmt: skip
    assert {take: len(found) for take, found in images.items()} == dict.fromkeys(TAKES, 1)


def test_a_process_that_lost_its_lease_keeps_its_claim_once_it_is_back(
    hosts: Hosts, api: Emulator, server: Server
) -> None:
    api.fault(Fault("submit", hang_after=6))
    first = hosts.start("a fox")
    wait_until(lambda: api.count("submit") == 1, SECONDS)
    server.terminate_all()
    second = hosts.start("a fox")
    assert first.result().startswith("delivered") and second.result().startswith("delivered"), second.lines
    assert len(api.jobs) == 1
