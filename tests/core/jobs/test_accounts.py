"""An account outlives its tokens: jobs of yesterday's token are found with that of today."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from hurry import hurry, service
from support import ROOT, RecordingHost, Runner

from emulator import Emulator, Fault
from nodes.core.errors import NotFound, OtherAccount, OverBudget, SubmissionUnknown, Unauthorized

RECOVERABLE = r"(?s)Charged: .*Request: [0-9a-f-]{36}.*Next: .*[Rr]un the same inputs again"


@pytest.fixture
def renew(api: Emulator, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Expire the token, and use a new one of the same account from then on."""

    def change() -> None:
        api.token = f"{api.token}-renewed"
        monkeypatch.setenv("RUNCOMFY_API_TOKEN", api.token)

    return change


def somebody_elses(times: int | None = 1) -> Fault:
    return Fault("status", times=times, status=403, body={"error_code": 403001, "error_message": "No."})


def start_and_leave(runner: Runner, api: Emulator) -> None:
    """Let a job begin whose run ends because the token expires meanwhile."""
    api.hold_running = True
    api.fault(Fault("status", times=None, status=401))
    with pytest.raises(Unauthorized, match=RECOVERABLE):
        runner.text_to_image()
    api.clear_faults()
    api.hold_running = False


def test_a_token_that_is_renewed_in_mid_job_does_not_pay_again(
    runner: Runner, api: Emulator, renew: Callable[[], None]
) -> None:
    start_and_leave(runner, api)
    renew()
    _, _, request_id = runner.text_to_image()
    assert request_id == api.jobs[0].request_id and api.count("submit") == 1
    assert "it is not paid twice" in runner.host.last.text()
    job = runner.jobs()[0]
    assert (job.state, job.account) == ("delivered", service().account), "it is that of today's token from now on"


def test_kept_images_are_handed_out_without_asking_the_account(
    runner: Runner, api: Emulator, renew: Callable[[], None]
) -> None:
    first = runner.text_to_image()
    runner.restart()
    renew()
    calls = len(api.calls)
    assert runner.text_to_image()[1:] == first[1:]
    assert len(api.calls) == calls
    assert runner.host.last.kept


def test_delivered_images_that_are_not_kept_are_fetched_after_one_free_look(
    runner: Runner, api: Emulator, renew: Callable[[], None]
) -> None:
    first = runner.text_to_image()
    shutil.rmtree(runner.state / "kept")
    renew()
    looks = api.count("status")
    assert runner.text_to_image()[1:] == first[1:]
    assert api.count("status") == looks + 1 and api.count("submit") == 1


def test_a_job_of_somebody_else_is_run_anew_for_this_account(
    runner: Runner, api: Emulator, renew: Callable[[], None]
) -> None:
    start_and_leave(runner, api)
    renew()
    api.fault(somebody_elses(times=None))
    api.hold_running = True
    runner.host = RecordingHost()
    with pytest.raises(OtherAccount):
        # The fault holds for the new job, too; what counts is that there is one.
        runner.text_to_image()
    assert api.count("submit") == 2
    states = [(job.state, job.account == service().account) for job in runner.jobs()]
    assert states[1] == ("submitted", False), "theirs is left as it was"


@pytest.mark.parametrize("status", [401, 403])
def test_any_other_refusal_of_the_look_submits_nothing(
    runner: Runner, api: Emulator, renew: Callable[[], None], status: int
) -> None:
    start_and_leave(runner, api)
    renew()
    api.fault(Fault("status", status=status))
    with pytest.raises(Unauthorized, match=RECOVERABLE):
        runner.text_to_image()
    assert api.count("submit") == 1
    runner.text_to_image()
    assert len(api.jobs) == 1


def test_a_404_of_the_look_is_told_as_that_of_ones_own_job(
    runner: Runner, api: Emulator, renew: Callable[[], None]
) -> None:
    start_and_leave(runner, api)
    renew()
    hurry()
    api.fault(Fault("status", times=12, status=404))
    with pytest.raises(NotFound, match=RECOVERABLE):
        runner.text_to_image()
    assert api.count("submit") == 1


def test_a_lost_answer_of_another_token_is_told(
    runner: Runner, api: Emulator, renew: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodes.core.store.journal import Journal

    with monkeypatch.context() as crash:
        crash.setattr(Journal, "mark_reported", lambda *_: None)
        api.fault(Fault("submit", lost=True))
        with pytest.raises(SubmissionUnknown):
            runner.text_to_image()
    renew()
    with pytest.raises(SubmissionUnknown, match="earlier run"):
        runner.text_to_image()
    assert api.count("submit") == 1


def test_a_job_is_collected_with_a_renewed_token(runner: Runner, api: Emulator, renew: Callable[[], None]) -> None:
    start_and_leave(runner, api)
    renew()
    runner.collect(api.jobs[0].request_id)
    assert [job.state for job in runner.jobs()] == ["delivered"], "it is one job, not two"


def test_collecting_somebody_elses_job_leaves_it_as_it_is(
    runner: Runner, api: Emulator, renew: Callable[[], None]
) -> None:
    start_and_leave(runner, api)
    renew()
    api.fault(somebody_elses())
    with pytest.raises(OtherAccount, match="Compare the request id"):
        runner.collect(api.jobs[0].request_id)
    assert [job.state for job in runner.jobs()] == ["submitted"]


def test_what_another_api_does_not_know_is_not_recorded_as_gone(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_and_leave(runner, api)
    (job,) = runner.jobs()
    service().journal.write(lambda db: db.update("UPDATE jobs SET submitted_at = ?", (job.created_at - 86400,)))
    with monkeypatch.context() as elsewhere, Emulator() as other:
        other.token = api.token
        elsewhere.setenv("RUNCOMFY_MODEL_API_BASE", other.base_url)
        hurry()
        with pytest.raises(NotFound, match="Compare the request id"):
            runner.collect(job.request_id)
    assert [job.state for job in runner.jobs()] == ["submitted"]
    assert runner.text_to_image()[2] == job.request_id and api.count("submit") == 1


def test_recent_jobs_and_the_budget_are_those_of_every_token(
    runner: Runner, renew: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.text_to_image("one")
    renew()
    runner.text_to_image("two")
    assert [job.state for job in runner.jobs()] == ["delivered"] * 2
    assert service().journal.spent_today() == pytest.approx(0.2)
    monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", "0.25")
    renew()
    with pytest.raises(OverBudget):
        runner.text_to_image("three")


def test_what_version_0_1_0_recorded_is_found_with_another_token(runner: Runner, api: Emulator) -> None:
    """The journal and the kept images that 0.1.0 left after ``a fox`` at 0.5K, with a token that nobody has now."""
    then = ROOT / "tests" / "core" / "jobs" / "states" / "0.1.0"
    shutil.copytree(then, runner.state)
    _, _, request_id = runner.text_to_image("a fox", resolution="0.5K")
    assert runner.host.last.kept and api.calls == []
    (job,) = runner.jobs()
    assert job.request_id == request_id
    shutil.rmtree(runner.state / "kept")
    with pytest.raises(NotFound):
        hurry()
        runner.text_to_image("a fox", resolution="0.5K")
    assert api.count("submit") == 0, "the emulator of then is not there any more: asked, told, nothing sent"
