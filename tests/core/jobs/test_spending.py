"""The day's budget, from the node's call to the API's bill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hurry import hurry, service
from support import TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner

from emulator import Emulator, Fault
from nodes.app.catalogue import live
from nodes.core.errors import JobFailed, JournalError, OverBudget
from nodes.core.jobs import acquire
from nodes.core.jobs.progress import Stage
from nodes.core.store.job import Job
from nodes.shell.commands import main
from nodes.shell.report import Status


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    return lambda usd: monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", str(usd))


def at_once(runner: Runner, prompts: list[str], **values: object) -> list[object]:
    """Run a node for each prompt at once; return what each gave or raised."""

    async def all_of_them() -> list[object]:
        runs = [runner.start(TEXT_TO_IMAGE, prompt=prompt, **values) for prompt in prompts]
        return await asyncio.gather(*runs, return_exceptions=True)

    return asyncio.run(all_of_them())


def stop_while_it_runs(runner: Runner, api: Emulator) -> None:
    """Leave a job of "one" at 4K that goes on without anybody who waits for it."""
    api.hold_running = True
    runner.host.stop_at = Stage.RUNNING
    with pytest.raises(Interrupted):
        runner.text_to_image("one", resolution="4K")
    runner.host = RecordingHost()
    api.hold_running = False


def billed(api: Emulator) -> float:
    return sum(job.cost for job in api.billed)


def test_a_run_beyond_the_days_budget_sends_nothing(
    runner: Runner, api: Emulator, budget: Callable[[float], None]
) -> None:
    budget(0.25)
    runner.text_to_image("one", resolution="0.5K", num_images=2)
    with pytest.raises(OverBudget, match=r"(?s)\$0\.20 is spent.*may cost \$0\.10.*Charged: no.*RUNCOMFY_DAILY"):
        runner.text_to_image("two", resolution="0.5K")
    assert api.count("submit") == 1
    runner.text_to_image("one", resolution="0.5K", num_images=2)
    budget(0.3)
    runner.text_to_image("two", resolution="0.5K")
    assert len(api.billed) == 2


def test_twenty_nodes_whose_price_is_above_the_base_price_keep_to_the_budget(
    runner: Runner, api: Emulator, budget: Callable[[float], None]
) -> None:
    """At 4K the emulator charges twice its base price."""
    budget(1.0)
    api.fault(Fault("job", times=None, sizes=[(32, 32)]))
    ends = at_once(runner, [f"a fox {number}" for number in range(20)], resolution="4K")
    assert billed(api) == pytest.approx(1.0)
    assert sum(isinstance(end, OverBudget) for end in ends) == 15
    assert service().journal.spent_today() == pytest.approx(1.0)


def test_who_waits_for_a_price_is_told_so(runner: Runner, api: Emulator, budget: Callable[[float], None]) -> None:
    budget(1.0)
    api.run_seconds = 0.5
    at_once(runner, ["one", "two"], resolution="0.5K")
    assert "waits for the cost of another one" in runner.host.text
    assert len(api.billed) == 2


UNKNOWN: dict[str, dict[str, Any]] = {
    "404": {"status": 404},
    "503": {"status": 503},
    "a web page": {"html": True},
    "by the second": {"edit": lambda entry: {**entry, "price_unit": "second"}},
    "no price": {"edit": lambda entry: {**entry, "base_price_usd": None}},
}


@pytest.mark.parametrize("kind", UNKNOWN.values(), ids=UNKNOWN)
def test_without_a_price_and_a_cost_nothing_is_sent_unless_a_maximum_is_stated(
    runner: Runner,
    api: Emulator,
    budget: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    kind: dict[str, Any],
) -> None:
    budget(1.0)
    api.fault(Fault("catalog", times=None, **kind))
    with pytest.raises(OverBudget, match=r"(?s)nothing tells what.*Charged: no\..*RUNCOMFY_MAX_COST_USD"):
        runner.text_to_image("one", resolution="0.5K")
    assert api.count("submit") == 0 and runner.jobs() == []
    monkeypatch.setenv("RUNCOMFY_MAX_COST_USD", "1.5")
    with pytest.raises(OverBudget, match=r"may cost \$1\.50"):
        runner.text_to_image("one", resolution="0.5K")
    monkeypatch.setenv("RUNCOMFY_MAX_COST_USD", "0.6")
    runner.text_to_image("one", resolution="0.5K")
    monkeypatch.delenv("RUNCOMFY_MAX_COST_USD")
    runner.text_to_image("two", resolution="0.5K")
    assert billed(api) == pytest.approx(0.2), "the cost of the first one is known by then"


def test_a_price_that_could_not_be_read_is_asked_for_again(
    runner: Runner, api: Emulator, budget: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NOT_KNOWN_SECONDS", 0.0)
    budget(0.15)
    api.fault(Fault("catalog", status=503))
    with pytest.raises(OverBudget, match="nothing tells"):
        runner.text_to_image("one")
    runner.text_to_image("one")
    assert api.count("submit") == 1


def test_a_job_that_tells_no_cost_counts_its_estimate(
    runner: Runner, api: Emulator, budget: Callable[[float], None]
) -> None:
    budget(0.25)
    api.fault(Fault("job", times=None, late_cost=99))
    runner.text_to_image("one", resolution="0.5K")
    runner.text_to_image("two", resolution="0.5K")
    with pytest.raises(OverBudget, match=r"\$0\.20 is spent"):
        runner.text_to_image("three", resolution="0.5K")
    assert api.count("submit") == 2


def test_the_cost_of_a_job_that_was_stopped_is_asked_for(
    runner: Runner, api: Emulator, budget: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it any more, and others wait for what it costs."""
    budget(0.25)
    stop_while_it_runs(runner, api)
    monkeypatch.setattr(acquire, "LOOKS_BEFORE_ASKING", 2)
    hurry()
    with pytest.raises(OverBudget, match=r"\$0\.20 is spent"):
        runner.text_to_image("two", resolution="4K")
    stopped = runner.jobs()[0]
    assert (stopped.cost, stopped.state) == (0.2, "submitted")
    submitted = api.count("submit")
    runner.text_to_image("one", resolution="4K")
    assert api.count("submit") == submitted == 1


def test_a_cost_of_another_model_is_not_recorded(
    runner: Runner, api: Emulator, budget: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by a history of the simulation: who waits for a cost believed whatever result came."""
    budget(0.5)
    stop_while_it_runs(runner, api)
    elsewhere = {"model_id": "vendor/other", "cost": 0.01, "output": {"image": "https://files.runcomfy.net/x.png"}}
    api.fault(Fault("result", times=1, edit=lambda payload: {**payload, **elsewhere}))
    monkeypatch.setattr(acquire, "LOOKS_BEFORE_ASKING", 1)
    hurry()
    runner.text_to_image("two", resolution="4K")
    stopped = runner.jobs()[-1]
    assert stopped.cost == 0.2
    assert not any("x.png" in file for file in stopped.files)


def test_a_cost_that_cannot_be_recorded_is_not_called_unspent(
    runner: Runner,
    api: Emulator,
    budget: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Found by a history of the simulation: the disk was full as the cost of a stopped job was told."""
    budget(0.5)
    stop_while_it_runs(runner, api)
    monkeypatch.setattr(acquire, "LOOKS_BEFORE_ASKING", 1)
    hurry()
    journal = service().journal
    real, failures = journal.mark_finished, iter([JournalError("record_unusable", folder="x", error="full")])

    def mark(job: Job) -> Job:
        for failure in failures:
            raise failure
        return real(job)

    monkeypatch.setattr(journal, "mark_finished", mark)
    with caplog.at_level("INFO"):
        runner.text_to_image("two", resolution="4K")
    assert "is recorded as soon as the record can be written again (full)" in caplog.text
    assert "nothing is spent" not in caplog.text


def test_a_stopped_job_that_ends_without_an_image_and_a_cost_holds_nobody_up(
    runner: Runner, api: Emulator, budget: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by a history of the simulation: the others waited for half an hour."""
    budget(1.0)
    api.fault(Fault("job", images=0, late_cost=99))
    api.hold_running = True
    runner.host.stop_at = Stage.RUNNING
    with pytest.raises(Interrupted):
        runner.text_to_image("one", resolution="0.5K")
    runner.host = RecordingHost()
    api.hold_running = False
    monkeypatch.setattr(acquire, "LOOKS_BEFORE_ASKING", 1)
    hurry()
    runner.text_to_image("two", resolution="0.5K")
    stopped = runner.jobs()[-1]
    assert (stopped.state, stopped.cost) == ("submitted", None)
    with pytest.raises(JobFailed, match=r"(?s)without an image.*Charged: not known"):
        runner.text_to_image("one", resolution="0.5K")


def test_the_shell_takes_a_maximum(
    runner: Runner, api: Emulator, budget: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    budget(1.0)
    monkeypatch.setenv("RUNCOMFY_MAX_COST_USD", "7")  # so that it is put back
    monkeypatch.delenv("RUNCOMFY_MAX_COST_USD")
    api.fault(Fault("catalog", times=None, status=404))
    command = ["text-to-image", "--prompt", "a fox", "--resolution", "0.5K", "--out", str(runner.state.parent)]
    assert main(command) == Status.NOT_CHARGED
    assert main([*command, "--max-cost", "0.5"]) == 0
    assert len(api.billed) == 1


@pytest.mark.parametrize("usd", ["-1", "nan", "inf", "much"])
def test_the_shell_refuses_what_is_no_amount(usd: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text-to-image", "--prompt", "a fox", "--max-cost", usd]) == Status.WRONG_INPUT
    assert "a number of 0 or more" in capsys.readouterr().err
