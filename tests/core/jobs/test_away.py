"""A record on a server that several hosts share: paid once between them, and what holds while it is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from postgres import PASSWORD, Server
from support import RecordingHost, Runner

from emulator import Emulator
from nodes.app.run import run_collect
from nodes.core.errors import JournalError
from nodes.core.jobs.progress import Stage
from nodes.core.store.job import Job
from nodes.shell.commands import main
from nodes.shell.report import Status


@pytest.fixture
def address(runner: Runner, server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty record on a server, which every host of the test uses. Jobs take long enough to be seen."""
    runner.api.queue_seconds, runner.api.run_seconds = 0.3, 2.0
    made = server.new_database()
    monkeypatch.setenv("RUNCOMFY_JOURNAL", made)
    return made


@pytest.fixture
def other_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Go on as a host with a state folder of its own."""
    return lambda: monkeypatch.setenv("RUNCOMFY_STATE_DIR", str(tmp_path / "another"))


def rows(server: Server, address: str) -> list[tuple[object, ...]]:
    return server.sql("SELECT state, request_id, cost FROM jobs ORDER BY id", address)


def eventually(found: Callable[[], object], seconds: float = 15.0) -> object:
    ends = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < ends:
        time.sleep(0.1)
    return value


class Shutting(RecordingHost):
    """A host during whose run the server stops, at a stage."""

    def __init__(self, server: Server, at: Stage) -> None:
        super().__init__()
        self._server, self._at, self.away = server, at, False

    def report(self, progress) -> None:  # type: ignore[no-untyped-def]
        super().report(progress)
        if progress.stage is self._at and not self.away:
            self.away = True
            self._server.stop()


@pytest.mark.usefixtures("address")
def test_two_hosts_pay_once_for_the_same_inputs(
    runner: Runner, api: Emulator, other_host: Callable[[], None]
) -> None:
    runner.text_to_image(resolution="0.5K")
    other_host()
    runner.text_to_image(resolution="0.5K")
    assert len(api.jobs) == len(api.billed) == 1


@pytest.mark.usefixtures("address")
def test_two_hosts_share_a_budget(
    runner: Runner, api: Emulator, other_host: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", "0.1")
    monkeypatch.setenv("RUNCOMFY_MAX_COST_USD", "0.08")
    runner.text_to_image("a fox", resolution="0.5K")
    other_host()
    with pytest.raises(Exception, match=r"(?s)budget of \$0\.10.*Charged: no"):
        runner.text_to_image("a crow", resolution="0.5K")
    assert len(api.jobs) == 1


@pytest.mark.usefixtures("address")
def test_files_in_a_shared_folder_are_another_hosts_kept_copies(
    runner: Runner,
    api: Emulator,
    other_host: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_DIR", str(tmp_path / "shared"))
    runner.text_to_image(resolution="0.5K")
    fetched = api.count("file")
    other_host()
    runner.text_to_image(resolution="0.5K")
    assert runner.host.last.kept and api.count("file") == fetched


def test_while_it_is_away_nothing_is_spent_and_the_password_is_nowhere(
    runner: Runner, api: Emulator, address: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    runner.text_to_image("a fox", resolution="0.5K")
    with server.away(), pytest.raises(JournalError) as raised:
        runner.text_to_image("a crow", resolution="0.5K")
    told = str(raised.value)
    assert "nothing is spent" in told and "Charged: no" in told and f"127.0.0.1:{server.port}" in told
    assert len(api.jobs) == 1
    files = [path.read_bytes() for path in runner.state.rglob("*") if path.is_file()]
    for secret in (PASSWORD, address.split(":")[2].split("@")[0]):
        assert secret not in told + caplog.text + runner.host.text
        assert not any(secret.encode() in data for data in files)
    time.sleep(1.1)
    runner.text_to_image("a crow", resolution="0.5K")
    assert len(api.billed) == 2


@pytest.mark.parametrize("at", [Stage.QUEUED, Stage.RUNNING, Stage.DOWNLOADING])
def test_a_job_under_way_goes_on_and_is_recorded_when_it_is_back(
    runner: Runner, api: Emulator, address: str, server: Server, at: Stage
) -> None:
    runner.host = Shutting(server, at)
    try:
        images, *_ = runner.text_to_image(resolution="0.5K")
    finally:
        server.start()
    assert runner.host.away and len(images) == 1
    assert eventually(lambda: [row[0] for row in rows(server, address)] == ["delivered"]), rows(server, address)
    assert rows(server, address)[0][1] == api.jobs[0].request_id
    assert list(runner.state.glob("owed/*")) == []
    runner.text_to_image(resolution="0.5K")
    assert runner.host.last.kept and len(api.jobs) == 1


def test_what_is_owed_outlives_its_process(runner: Runner, address: str, server: Server) -> None:
    runner.host = Shutting(server, Stage.RUNNING)
    try:
        runner.text_to_image(resolution="0.5K")
        owed = list(runner.state.glob("owed/*"))
        assert [path.stat().st_mode & 0o777 for path in owed] == [0o600]
        runner.restart()
    finally:
        server.start()
    assert [row[0] for row in rows(server, address)] == ["submitted"]
    runner.text_to_image("another", resolution="0.5K")
    assert [row[0] for row in rows(server, address)] == ["delivered", "delivered"]
    assert list(runner.state.glob("owed/*")) == []


@pytest.mark.usefixtures("address")
@pytest.mark.parametrize("restarted", [False, True])
def test_kept_copies_are_handed_out_while_it_is_away(
    runner: Runner, api: Emulator, server: Server, restarted: bool
) -> None:
    runner.text_to_image(resolution="0.5K")
    if restarted:
        runner.restart()
    calls = len(api.calls)
    with server.away():
        images, *_ = runner.text_to_image(resolution="0.5K")
    assert len(images) == 1 and runner.host.last.kept and len(api.calls) == calls
    assert "record of paid jobs cannot be reached" in runner.host.last.text()


@pytest.mark.usefixtures("address")
def test_the_shell_hands_out_kept_copies_while_it_is_away_and_spends_nothing(
    runner: Runner, api: Emulator, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["text-to-image", "--resolution", "0.5K", "--seed", "1", "--out", str(runner.state.parent / "out")]
    assert main([*command, "--prompt", "a fox"]) == 0
    with server.away():
        assert main([*command, "--prompt", "a fox"]) == 0
        assert "no charge" in capsys.readouterr().err
        assert main([*command, "--prompt", "an owl"]) == Status.NOT_SET_UP
    assert len(api.jobs) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_jobs_are_collected_while_it_is_away(
    runner: Runner, api: Emulator, address: str, server: Server, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kept:
        monkeypatch.setenv("RUNCOMFY_KEEP_MB", "0")
    runner.text_to_image(resolution="0.5K")
    runner.restart()
    with server.away():
        delivery = asyncio.run(run_collect(api.jobs[0].request_id, runner.host))
        runner.restart()
    assert len(delivery.batches) == 1 and delivery.progress.kept is kept
    assert len(api.jobs) == 1 and [row[0] for row in rows(server, address)] == ["delivered"]


@pytest.mark.usefixtures("address")
def test_a_job_of_this_host_that_broke_off_is_gone_on_with(
    runner: Runner, api: Emulator, other_host: Callable[[], None]
) -> None:
    runner.host.stop_at = Stage.RUNNING
    with pytest.raises(BaseException):  # noqa: B017 (the host's own interrupt)
        runner.text_to_image(resolution="0.5K")
    runner.restart()
    other_host()
    runner.text_to_image(resolution="0.5K")
    assert len(api.jobs) == len(api.billed) == 1
    found: list[Job] = runner.jobs()
    assert [job.state for job in found] == ["delivered"]
