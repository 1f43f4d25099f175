"""A node with a list: one state, one receipt, and what failed is left out of everything."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from support import PRO_EDIT, TEXT_TO_IMAGE, GraphMedia, Interrupted, Runner, image

from emulator import Emulator, Fault
from nodes.app.items import AT_ONCE
from nodes.comfyui.collect import collect_class
from nodes.comfyui.factory import items_of, node_class
from nodes.comfyui.prompts import prompts_class
from nodes.core import threads
from nodes.core.errors import Charge, InvalidInput, PackError
from nodes.core.jobs.progress import Items, Progress, Stage
from nodes.core.jobs.together import ItemState, together
from nodes.core.texts import note

PROMPTS = ["a fox", "a crow", "a hare"]
SMALL = {"resolution": ["0.5K"]}


def run(runner: Runner, *prompts: str, **lists: list[object]) -> tuple[list[object], list[str], list[str]]:
    return runner.run_list(TEXT_TO_IMAGE, prompt=list(prompts), **{**SMALL, **lists})


def failed(runner: Runner, *prompts: str, **lists: list[object]) -> PackError:
    with pytest.raises(PackError) as raised:
        run(runner, *prompts, **lists)
    return raised.value


def test_a_list_has_one_state_that_counts_its_items_and_adds_up_what_they_cost(
    runner: Runner, api: Emulator
) -> None:
    batches, urls, ids = run(runner, *PROMPTS)
    assert [len(batch) for batch in batches] == [1, 1, 1]
    assert ids == [next(job.request_id for job in api.jobs if job.body["prompt"] == one) for one in PROMPTS]
    assert all(len(each.splitlines()) == 1 for each in urls)
    counted = [report.items for report in runner.host.reports]
    assert counted[0] == Items(0, 3) and counted[-1] == Items(3, 3)
    under_way = {job for each in counted if each for job in each.jobs}
    assert under_way == {job.request_id for job in api.jobs}
    assert [each.done for each in counted if each] == sorted(each.done for each in counted if each)
    assert any(report.text().startswith("2 of 3, $0.20") for report in runner.host.reports)
    last = runner.host.last
    assert (last.stage, last.total, last.headline()) == (Stage.DELIVERED, 3, "3 images delivered, $0.30")
    fractions = [report.fraction for report in runner.host.reports if report.fraction is not None]
    assert fractions[-1] == 1.0


def test_the_same_list_again_is_kept_copies_without_a_charge(runner: Runner, api: Emulator) -> None:
    run(runner, *PROMPTS)
    run(runner, *PROMPTS)
    assert (runner.host.last.kept, runner.host.last.cost) == (True, 0.0)
    run(runner, *PROMPTS, "a mole")
    assert runner.host.last.headline() == "4 images delivered, $0.10"
    assert "Kept copies without a charge: 3." in runner.host.last.text()
    assert len(api.billed) == 4


def test_items_of_the_same_inputs_are_one_job_whose_cost_counts_once(runner: Runner, api: Emulator) -> None:
    batches, _, ids = run(runner, "a fox", "a fox", "a fox")
    assert len(batches) == 3 and len(set(ids)) == 1
    assert runner.host.last.cost == pytest.approx(0.1)
    assert len(api.billed) == 1


def test_skip_leaves_what_failed_out_of_every_output(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", fails="blocked by the safety filter", only="a crow", times=None))
    batches, urls, ids = run(runner, *PROMPTS, on_failure=["skip"])
    assert len(batches) == len(urls) == len(ids) == 2
    assert ids == [next(job.request_id for job in api.jobs if job.body["prompt"] == one) for one in PROMPTS[::2]]
    last = runner.host.last
    assert (last.stage, last.total, last.cost) == (Stage.DELIVERED, 2, pytest.approx(0.2))
    text = last.text()
    assert "failed: 1 of 3. Delivered and kept: 2. Not sent: 0." in text
    assert "Item 2 (a crow): The job failed at the provider. Reason given: blocked by the safety filter" in text
    assert "Charged: yes, $0.20." in text


def test_what_was_delivered_at_a_cost_that_is_not_told_is_not_called_free(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("result", times=None, edit=lambda answer: {k: answer[k] for k in answer.keys() - {"cost"}}))
    run(runner, "a fox", "", on_failure=["skip"])
    failure = runner.host.last.failure
    assert failure is not None and len(api.billed) == 1
    assert (failure.charge, failure.cost) == (Charge.YES, None)
    run(runner, "a fox", "", on_failure=["skip"])
    again = runner.host.last.failure
    assert again is not None and again.charge is Charge.NO, "a kept copy"


def test_skip_with_nothing_left_fails_the_node(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", fails="blocked", times=None))
    error = failed(runner, *PROMPTS, on_failure=["skip"])
    assert error.failure.note.params["failed"] == 3 and error.failure.cost is None
    assert api.count("submit") == 3


def test_stop_submits_nothing_more_waits_for_what_is_under_way_and_tells_all_of_it(
    runner: Runner, api: Emulator
) -> None:
    many = [f"prompt {number:02}" for number in range(AT_ONCE + 15)]
    api.fault(Fault("job", fails="blocked", only="prompt 00"))
    error = failed(runner, *many)
    assert AT_ONCE <= api.count("submit") < len(many)
    assert all(job.state in ("completed", "failed") for job in api.jobs), "those under way are waited for"
    params = error.failure.note.params
    assert (params["failed"], params["total"]) == (1, len(many))
    assert params["delivered"] == len(api.billed) == api.count("submit") - 1
    assert params["unsent"] == len(many) - api.count("submit")
    assert error.failure.cost == pytest.approx(0.1 * len(api.billed))
    assert runner.host.last.stage is Stage.FAILED
    api.clear_faults()
    batches, *_ = run(runner, *many)
    assert len(batches) == len(api.billed) == len(many), "what was delivered is not paid for again"


def test_what_failed_and_was_charged_is_not_paid_for_again_with_the_list(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", blocked=True, only="a crow", times=None))
    for _ in range(4):
        batches, _, ids = run(runner, *PROMPTS, on_failure=["skip"])
        assert len(batches) == len(ids) == 2
    blocked = [job for job in api.jobs if job.body["prompt"] == "a crow"]
    assert len(blocked) == 1 and len(api.billed) == 3
    failure = runner.host.last.failure
    assert failure is not None
    told = [step for step in failure.next if step.kind == "next.allow_retry"]
    assert [step.params["request_id"] for step in told] == [blocked[0].request_id]
    assert failure.charge is Charge.NO, "this run was not charged"


def test_every_item_is_checked_before_anything_is_sent(runner: Runner, api: Emulator) -> None:
    error = failed(runner, "a fox", "", "a hare")
    assert "Item 2" in str(error) and "prompt: it is empty" in str(error)
    assert (error.failure.charge, api.count("submit")) == (Charge.NO, 0)
    batches, *_ = run(runner, "a fox", "", "a hare", on_failure=["skip"])
    assert len(batches) == 2


def test_stop_pressed_ends_a_list_at_once_and_the_same_list_goes_on(runner: Runner, api: Emulator) -> None:
    api.hold_running = True
    stop = threading.Timer(1.0, lambda: setattr(runner.host, "stop_now", True))
    stop.start()
    with pytest.raises(Interrupted):
        run(runner, *PROMPTS)
    stop.join()
    api.hold_running = False
    runner.restart()
    batches, *_ = run(runner, *PROMPTS)
    assert len(batches) == len(api.billed) == 3


def test_after_stop_a_list_tells_which_of_its_jobs_go_on(runner: Runner, api: Emulator) -> None:
    api.hold_running = True

    async def press() -> None:
        while len({job for report in runner.host.reports for job in report.jobs}) < 3:
            await asyncio.sleep(0.02)
        runner.host.stop_now = True

    async def both() -> None:
        pressing = asyncio.create_task(press())
        await node_class(TEXT_TO_IMAGE, runner.host)().generate(prompt=PROMPTS, **SMALL)
        await pressing

    with pytest.raises(Interrupted):
        asyncio.run(both())
    threads.finish()
    last = runner.host.last
    assert last.stage is Stage.STOPPED
    assert set(last.jobs) == {job.request_id for job in api.jobs} and len(last.jobs) == 3


def test_a_job_of_a_list_that_was_cancelled_is_not_to_be_collected() -> None:
    told = [note("cancel.cancelled"), note("cancel.not_cancellable")]
    items = [ItemState("", Progress(Stage.STOPPED, str(place), notes=(one,))) for place, one in enumerate(told)]
    assert together(items, Stage.STOPPED).jobs == ("1",)


def test_a_text_becomes_a_list_of_prompts_of_which_each_is_a_job(runner: Runner, api: Emulator) -> None:
    node = prompts_class(runner.host)()
    (prompts,) = asyncio.run(node.generate(prompts=[" a fox\n\n  a crow\r\na fox "]))["result"]
    assert prompts == ["a fox", "a crow", "a fox"]
    batches, *_ = run(runner, *prompts)
    assert (len(batches), len(api.billed)) == (3, 2)
    with pytest.raises(InvalidInput, match="prompts: it is empty"):
        asyncio.run(node.generate(prompts=[" \n "]))


def test_several_jobs_are_collected_by_one_node_and_what_cannot_be_is_told(runner: Runner, api: Emulator) -> None:
    _, _, ids = run(runner, *PROMPTS)
    runner.host.media = GraphMedia(runner.state / "shown")
    text = f" {ids[2]}\n{ids[0]},unknown-to-all "
    ended: Any = asyncio.run(collect_class(runner.host)().generate(request_id=[text]))
    images, _, collected, *_ = ended["result"]
    assert collected == [ids[2], ids[0]] and len(images) == 2
    last = runner.host.last
    assert (last.stage, last.total, last.kept) == (Stage.DELIVERED, 2, True)
    assert "Item 3 (unknown-to-all)" in last.text()
    assert len(api.billed) == api.count("submit") == 3


def test_a_failure_is_told_even_where_stop_is_pressed_after_it(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("submit", lost=True))
    api.hold_running = True

    async def press() -> None:
        while not any(report.failure for report in runner.host.reports):
            await asyncio.sleep(0.02)
        runner.host.stop_now = True

    async def both() -> None:
        pressing = asyncio.create_task(press())
        await node_class(TEXT_TO_IMAGE, runner.host)().generate(prompt=PROMPTS, **SMALL)
        await pressing

    with pytest.raises(PackError, match="It may have been accepted"):
        asyncio.run(both())


def test_the_host_may_cancel_a_list_and_nothing_is_paid_twice(runner: Runner, api: Emulator) -> None:
    api.hold_running = True

    async def cancelled() -> None:
        running = asyncio.create_task(node_class(TEXT_TO_IMAGE, runner.host)().generate(prompt=PROMPTS, **SMALL))
        while len(api.jobs) < 3:
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    api.hold_running = False
    run(runner, *PROMPTS)
    assert len(api.billed) == 3


def test_a_shorter_list_goes_on_with_its_last_value_and_an_empty_one_is_refused(
    runner: Runner, api: Emulator
) -> None:
    assert items_of({"prompt": ["a", "b", "c"], "seed": [1, 2]}) == [
        {"prompt": "a", "seed": 1},
        {"prompt": "b", "seed": 2},
        {"prompt": "c", "seed": 2},
    ]
    with pytest.raises(InvalidInput, match="image_1: the list"):
        runner.run_list(PRO_EDIT, prompt=["blue"], image_1=[])
    batches, *_ = runner.run_list(PRO_EDIT, prompt=["blue", "red"], image_1=[image(8, 8)])
    assert len(batches) == len(api.billed) == 2
