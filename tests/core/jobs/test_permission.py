"""Paying again for the same inputs needs a person's permission, and a receipt says how to give it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from hurry import Skipping, hurry
from support import Runner

from emulator import Emulator, Fault
from nodes.core.errors import FileGone, JobCancelled, JobFailed, NotFound, PackError
from nodes.core.store.journal import FILE_NAME
from nodes.shell.commands import main

OLD = "UPDATE jobs SET submitted_at = submitted_at - 7200, created_at = created_at - 7200"
DOORS = r"jobs retry {request_id}.*POST /runcomfy/jobs/retry"


@pytest.fixture
def clock(runner: Runner) -> Skipping:
    """Waiting takes no time; ``runner`` has set up where the nodes look for their account."""
    assert runner.state
    return hurry()


def run(runner: Runner) -> str:
    return runner.text_to_image(resolution="0.5K")[2]


def doors(api: Emulator) -> str:
    return DOORS.format(request_id=api.jobs[-1].request_id)


def grow_old(runner: Runner) -> None:
    with closing(sqlite3.connect(runner.state / FILE_NAME)) as db, db:
        db.execute(OLD)


def charged(usd: float) -> Fault:
    return Fault("result", times=None, edit=lambda answer: {**answer, "cost": usd})


def fail_charged(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", fails="blocked", fails_in="result"))
    api.fault(charged(0.1))
    with pytest.raises(JobFailed, match=r"Charged: yes, \$0\.10") as raised:
        run(runner)
    assert re.search(f"(?s){doors(api)}", str(raised.value))
    assert "charged on its own" not in str(raised.value), "a receipt advises nothing that would not work"
    api.clear_faults()


def test_a_job_that_failed_and_was_charged_is_told_again_and_nothing_is_sent(runner: Runner, api: Emulator) -> None:
    fail_charged(runner, api)
    calls = len(api.calls)
    for _ in range(2):
        runner.restart()
        with pytest.raises(
            JobFailed, match=rf"(?s)failed and was charged.*Nothing was sent.*Charged: yes, \$0\.10.*{doors(api)}"
        ):
            run(runner)
    assert len(api.calls) == calls


def test_a_permission_is_good_for_one_new_job(
    runner: Runner, api: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_charged(runner, api)
    assert main(["jobs", "retry", api.jobs[0].request_id]) == 0
    assert "may be paid for, once" in capsys.readouterr().out
    fail_charged(runner, api)
    assert api.count("submit") == 2
    with pytest.raises(JobFailed, match=f"(?s){doors(api)}"):
        run(runner)
    assert api.count("submit") == 2
    assert main(["jobs", "retry", api.jobs[1].request_id]) == 0
    request_id = run(runner)
    assert request_id == run(runner) == api.jobs[2].request_id, "delivered, and handed out again"
    assert api.count("submit") == 3


def test_a_permission_outlives_a_run_that_sent_nothing(runner: Runner, api: Emulator) -> None:
    fail_charged(runner, api)
    main(["jobs", "retry", api.jobs[0].request_id])
    api.fault(Fault("submit", status=402))
    with pytest.raises(PackError, match="Charged: no"):
        run(runner)
    assert run(runner) == api.jobs[1].request_id


def test_another_seed_is_another_job_and_needs_no_permission(runner: Runner, api: Emulator) -> None:
    fail_charged(runner, api)
    runner.text_to_image(resolution="0.5K", seed=7)
    assert api.count("submit") == 2


@pytest.mark.parametrize("status", [403, 404, 410])
@pytest.mark.usefixtures("clock")
def test_delivered_images_that_are_gone_are_not_paid_for_again_without_a_question(
    runner: Runner, api: Emulator, status: int
) -> None:
    first = run(runner)
    shutil.rmtree(runner.state / "kept")
    grow_old(runner)
    api.fault(Fault("file", times=None, status=status))
    for _ in range(2):
        with pytest.raises(FileGone, match=rf"(?s)Charged: yes, \$0\.10.*{doors(api)}"):
            run(runner)
    assert api.count("submit") == 1
    api.clear_faults()
    assert run(runner) == first, "a proxy's refusal passes, and costs nothing but time"
    assert api.count("submit") == 1
    assert runner.jobs()[0].state == "delivered"


@pytest.mark.usefixtures("clock")
def test_a_permission_replaces_images_that_are_gone(runner: Runner, api: Emulator) -> None:
    run(runner)
    shutil.rmtree(runner.state / "kept")
    grow_old(runner)
    fault = Fault("file", times=None, status=410)
    api.fault(fault)
    with pytest.raises(FileGone):
        run(runner)
    main(["jobs", "retry", api.jobs[0].request_id])
    api.clear_faults()
    assert run(runner) == api.jobs[1].request_id


@pytest.mark.usefixtures("clock")
def test_a_permission_ends_where_the_images_come_after_all(runner: Runner, api: Emulator) -> None:
    first = run(runner)
    shutil.rmtree(runner.state / "kept")
    grow_old(runner)
    api.fault(Fault("file", times=None, status=403))
    with pytest.raises(FileGone):
        run(runner)
    main(["jobs", "retry", first])
    api.clear_faults()
    assert runner.collect(first)[2] == first
    shutil.rmtree(runner.state / "kept")
    api.fault(Fault("file", times=None, status=410))
    for _ in range(2):
        with pytest.raises(FileGone, match=f"(?s){doors(api)}"):
            run(runner)
    assert api.count("submit") == 1


@pytest.mark.usefixtures("clock")
def test_a_stray_file_among_the_kept_ones_and_a_proxy_lead_to_no_payment(runner: Runner, api: Emulator) -> None:
    run(runner)
    (entry,) = (runner.state / "kept").iterdir()
    (entry / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    grow_old(runner)
    api.fault(Fault("file", times=None, status=403))
    try:
        run(runner)
    except FileGone as error:
        assert "jobs retry" in str(error)
    assert api.count("submit") == 1


@pytest.mark.usefixtures("clock")
def test_a_delivered_job_that_the_api_forgot_is_not_paid_for_again(runner: Runner, api: Emulator) -> None:
    run(runner)
    shutil.rmtree(runner.state / "kept")
    grow_old(runner)
    api.fault(Fault("file", times=None, status=404))
    api.fault(Fault("status", times=None, status=404))
    for _ in range(2):
        with pytest.raises(NotFound, match=f"(?s){doors(api)}"):
            run(runner)
    assert api.count("submit") == 1


def test_what_failed_without_a_charge_or_was_cancelled_is_submitted_anew(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", fails="a worker died"))
    with pytest.raises(JobFailed, match="charged on its own"):
        run(runner)
    api.hold = True
    api.fault(Fault("status", edit=lambda answer: {**answer, "status": "cancelled"}))
    with pytest.raises(JobCancelled):
        run(runner)
    api.hold = False
    run(runner)
    assert api.count("submit") == 3


@pytest.mark.parametrize("request_id", ["nobody", "a/b"])
def test_the_shell_refuses_what_is_not_recorded(
    runner: Runner, request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(runner)
    assert main(["jobs", "retry", request_id]) == 2
    assert "no job with this request id" in capsys.readouterr().err


def test_the_shell_still_lists_the_jobs(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    request_id = run(runner)
    assert main(["jobs", "--limit", "1"]) == 0
    assert request_id in capsys.readouterr().out


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("earlier", ["delivered", "expired"])
def test_a_paid_job_that_is_said_to_be_cancelled_is_told_and_not_replaced(
    runner: Runner, api: Emulator, earlier: str
) -> None:
    run(runner)
    shutil.rmtree(runner.state / "kept")
    grow_old(runner)
    api.fault(Fault("file", times=None, status=404))
    if earlier == "expired":
        with pytest.raises(FileGone):
            run(runner)
    api.fault(Fault("status", times=None, edit=lambda answer: {**answer, "status": "cancelled"}))
    for _ in range(2):
        with pytest.raises(JobFailed, match=f"(?s)now says that it was cancelled.*{doors(api)}"):
            run(runner)
    assert api.count("submit") == 1
