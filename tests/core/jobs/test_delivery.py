"""What is paid for is delivered: file by file, in any form of result, and whatever stands beside a request id."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hurry import Skipping, delivered, drawn, hurry, limit, same, service
from support import PRO_EDIT, TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner, image

from emulator import Emulator, Fault
from nodes.core import threads
from nodes.core.errors import (
    Charge,
    FileGone,
    JobFailed,
    NotFound,
    PackError,
    ProtocolError,
    SubmissionUnknown,
    Unauthorized,
)
from nodes.core.jobs.progress import Stage
from nodes.core.jobs.receipts import FRESH_SECONDS
from nodes.core.store.journal import FILE_NAME
from nodes.core.texts import Note

FOUR = {"prompt": "a fox", "resolution": "0.5K", "num_images": 4}
HTML = b"<!doctype html><title>Blocked by the company</title>"


@pytest.fixture(autouse=True)
def clock(runner: Runner) -> Skipping:
    assert not runner.state.exists()
    return hurry()


def run(runner: Runner, **values: Any) -> tuple[list[Any], str, str]:
    runner.host = RecordingHost()
    return runner.run(TEXT_TO_IMAGE, **{**FOUR, **values})


def bad(number: int, **kind: Any) -> Fault:
    """Spoil one file of a job for good, by its number from 0; the others arrive."""
    return Fault("file", times=None, only=f"/{number}.png" if number else "-0.png", **kind)


def later(runner: Runner, seconds: float = FRESH_SECONDS + 1) -> None:
    """Let the recorded jobs be older."""
    with closing(sqlite3.connect(runner.state / FILE_NAME)) as db, db:
        columns = ("submitted_at", "created_at", "ended_at")
        db.execute(f"UPDATE jobs SET {', '.join(f'{name} = {name} - {seconds}' for name in columns)}")


def missing(runner: Runner) -> list[Note]:
    """Return what the node says of missing files."""
    return [each for each in runner.host.last.notes if each.kind == "note.file_missing"]


def fetched(api: Emulator) -> list[str]:
    """Return the names of the files that were asked for."""
    return [call.path.rpartition("/")[2] for call in api.calls if call.what == "file"]


# Files, one by one

KINDS = ({"content": HTML}, {"status": 404}, {"status": 403}, {"status": 410}, {"cut": 0.5}, {"bomb": True})
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))


@EACH_KIND
@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("old", [False, True])
def test_one_bad_file_of_four_costs_that_one_alone(
    runner: Runner, api: Emulator, kind: dict[str, Any], number: int, old: bool
) -> None:
    api.fault(bad(number, **kind))
    for _ in range(2):
        batches, urls, request_id = run(runner)
        [job] = api.jobs
        whole = [pixels for index, pixels in enumerate(drawn(api, job)) if index != number]
        assert same(delivered(batches), whole) and len(urls.splitlines()) == 3
        [told] = missing(runner)
        assert (told.params["number"], told.params["count"]) == (number + 1, 4)
        assert str(told).startswith(f"Image {number + 1} of 4 is missing: ")
        again = "https://www.runcomfy.com/generations" if "bomb" in kind else "without a new charge"
        assert again in str(told)
        assert "note.fewer_images" not in [each.kind for each in runner.host.last.notes]
        assert runner.host.last.cost == 0.4
        if old:
            later(runner)
    files = fetched(api)
    runner.restart()
    hurry()
    api.clear_faults()
    batches, urls, again = run(runner)
    assert again == request_id and same(delivered(batches), drawn(api, job)) and len(urls.splitlines()) == 4
    assert len(fetched(api)) == len(files) + 1, "those that are kept are not fetched again"
    assert [row.state for row in runner.jobs()] == ["delivered"] and len(api.jobs) == 1
    calls = len(api.calls)
    run(runner)
    assert len(api.calls) == calls and runner.host.last.kept


def test_three_bad_files_of_four_leave_the_fourth(runner: Runner, api: Emulator) -> None:
    for number in (0, 1, 3):
        api.fault(bad(number, status=410))
    batches, _, _ = run(runner)
    assert same(delivered(batches), drawn(api, api.jobs[0])[2:3])
    assert [told.params["number"] for told in missing(runner)] == [1, 2, 4]


def test_the_images_do_not_wait_for_a_host_that_fails_on_one_of_them(
    runner: Runner, api: Emulator, clock: Skipping
) -> None:
    api.fault(bad(1, status=500))
    batches, _, _ = run(runner)
    assert len(delivered(batches)) == 3 and clock.slept < 240
    api.clear_faults()
    assert len(delivered(run(runner)[0])) == 4 and len(api.jobs) == 1


class Unhurried(Skipping):
    """A clock that lets the other files arrive before a sleep moves it on."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.05)
        await super().sleep(seconds)


def test_the_deadline_hands_out_what_is_there(runner: Runner, api: Emulator) -> None:
    hurry()
    service().jobs.clock = clock = Unhurried()
    service().jobs.deadline = 20.0
    api.fault(bad(1, status=500))
    batches, _, _ = run(runner)
    assert len(delivered(batches)) == 3 and clock.slept < 60


def test_without_kept_copies_the_whole_files_are_fetched_again(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_MB", "0")
    hurry()
    api.fault(bad(3, status=410))
    assert len(delivered(run(runner)[0])) == 3
    api.clear_faults()
    assert same(delivered(run(runner)[0]), drawn(api, api.jobs[0])) and len(api.jobs) == 1


def test_a_missing_file_is_fetched_where_the_api_says_that_it_is_by_now(runner: Runner, api: Emulator) -> None:
    api.fault(bad(1, status=410))
    run(runner)

    def moved(result: dict[str, Any]) -> dict[str, Any]:
        urls = result["output"]["images"]
        return result | {"output": {"images": [urls[0], f"{urls[1]}?moved", *urls[2:]]}}

    api.clear_faults()
    api.fault(Fault("result", times=None, edit=moved))
    api.fault(Fault("file", times=None, status=410, only=".png"))
    assert len(delivered(run(runner)[0])) == 4
    assert runner.jobs()[0].state == "delivered" and "moved" in runner.jobs()[0].files[1]


@pytest.mark.parametrize(
    "fault", [{"status": 404}, {"status": 401}, {"status": 503}, {"hang": 30.0}, {"html": True}]
)
def test_the_images_do_not_wait_for_an_api_that_does_not_answer(
    runner: Runner, api: Emulator, clock: Skipping, fault: dict[str, Any]
) -> None:
    api.fault(bad(1, status=410))
    run(runner)
    slept = clock.slept
    for place in ("status", "result"):
        api.fault(Fault(place, times=None, **fault))
    assert len(delivered(run(runner)[0])) == 3 and clock.slept - slept < 10
    assert len(api.jobs) == 1


def test_a_kept_file_that_is_damaged_is_fetched_beside_the_others(runner: Runner, api: Emulator) -> None:
    run(runner)
    [folder] = (runner.state / "kept").iterdir()
    (folder / "02").write_bytes((folder / "02").read_bytes()[:-40])
    assert same(delivered(run(runner)[0]), drawn(api, api.jobs[0])) and len(fetched(api)) == 5
    (folder / "01").write_bytes(b"")
    api.fault(Fault("file", times=None, status=410))
    for _ in range(2):
        assert len(delivered(run(runner)[0])) == 3
        assert runner.jobs()[0].state == "delivered"
    assert len(api.jobs) == 1


@EACH_KIND
def test_where_no_file_is_whole_the_receipt_is_told(runner: Runner, api: Emulator, kind: dict[str, Any]) -> None:
    api.fault(Fault("file", times=None, **kind))
    with pytest.raises(PackError, match=r"(?s)Charged: yes, \$0\.40.*Request: "):
        run(runner)
    assert len(api.jobs) == 1
    api.clear_faults()
    assert len(delivered(run(runner)[0])) == 4 and len(api.jobs) == 1
    assert runner.jobs()[0].state == "delivered"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_gone_files_of_a_delivered_job_are_told_and_nothing_is_paid(
    runner: Runner, api: Emulator, status: int
) -> None:
    """A company's proxy may say so, too."""
    request_id = run(runner)[2]
    later(runner)
    shutil.rmtree(runner.state / "kept")
    api.fault(Fault("file", times=None, status=status))
    for _ in range(3):
        with pytest.raises(FileGone, match=rf"(?s)HTTP {status}.*Charged: yes.*jobs retry {request_id}"):
            run(runner)
    assert len(api.jobs) == 1 and runner.jobs()[0].state == "expired"
    api.clear_faults()
    assert len(delivered(run(runner)[0])) == 4 and len(api.jobs) == 1
    assert runner.jobs()[0].state == "delivered"


def test_what_one_file_alone_lacks_does_not_end_the_job(runner: Runner, api: Emulator) -> None:
    api.fault(bad(0, status=410))
    api.fault(Fault("file", times=None, content=HTML))
    later_states = []
    for _ in range(2):
        with pytest.raises(PackError):
            run(runner)
        later_states.append(runner.jobs()[0].state)
        later(runner)
    assert later_states == ["submitted"] * 2


def test_inline_files_come_one_by_one_as_well(runner: Runner, api: Emulator) -> None:
    def spoil(result: dict[str, Any]) -> dict[str, Any]:
        uris = result["output"]["images"]
        return result | {"output": {"images": [uris[0], "data:image/png;base64,AAAA", uris[2]]}}

    # A slow machine writes three images into one answer for longer.
    limit(20)
    inputs = {"prompt": "blue", "image_1": image(), "sync_mode": True, "num_images": 3}
    api.fault(Fault("result", times=1, edit=spoil))
    batches, _, _ = runner.run(PRO_EDIT, **inputs)
    assert len(delivered(batches)) == 2
    batches, _, _ = runner.run(PRO_EDIT, **inputs)
    assert same(delivered(batches), drawn(api, api.jobs[0])) and len(api.jobs) == 1
    calls = len(api.calls)
    assert len(delivered(runner.run(PRO_EDIT, **inputs)[0])) == 3 and len(api.calls) == calls


# Outputs that are not understood


def odd(shape: Any) -> Fault:
    """Give the addresses of each result in another form."""

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        if "output" not in result:
            return result
        told = result["output"]
        return result | {"output": shape(told.get("images") or [told["image"]])}

    return Fault("result", times=None, edit=edit)


SHAPES = {
    "image_url": lambda urls: {"images": [{"image_url": url} for url in urls]},
    "nested": lambda urls: {"result": {"images": urls}},
    "deeper": lambda urls: [urls, urls],
    "frames": lambda urls: {"video": {"frames": urls}},
    "a number": lambda urls: len(urls),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_an_output_that_is_not_understood_keeps_its_job(runner: Runner, api: Emulator, shape: Any) -> None:
    api.fault(odd(shape))
    for _ in range(2):
        with pytest.raises(ProtocolError, match=r"(?s)does not understand.*Charged: yes, \$0\.40.*not pay twice"):
            run(runner)
        assert (runner.jobs()[0].state, runner.jobs()[0].cost) == ("submitted", pytest.approx(0.4))
        later(runner)
    api.clear_faults()
    assert len(delivered(run(runner)[0])) == 4 and len(api.jobs) == 1


def test_what_is_understood_of_an_output_is_delivered(runner: Runner, api: Emulator) -> None:
    api.fault(odd(lambda urls: {"images": [urls[0], {"image_url": urls[1]}, *urls[2:]]}))
    for _ in range(2):
        assert len(delivered(run(runner)[0])) == 3
        assert "Image 2 of 4 is missing: The job has ended, and its result" in runner.host.text
    api.clear_faults()
    assert same(delivered(run(runner)[0]), drawn(api, api.jobs[0])) and len(api.jobs) == 1


def emptied(times: int | None, cost: float | None) -> Fault:
    """Tell of no file in so many results."""
    return Fault("result", times=times, edit=lambda result: {**result, "output": {"images": []}, "cost": cost})


def test_files_that_come_some_seconds_late_are_waited_for(runner: Runner, api: Emulator, clock: Skipping) -> None:
    api.fault(emptied(4, None))
    assert len(delivered(run(runner)[0])) == 4 and 4 < clock.slept < 20


@pytest.mark.parametrize("cost", [0.1, 0.0, None])
def test_an_empty_output_is_told_and_asked_for_once_more(
    runner: Runner, api: Emulator, cost: float | None, clock: Skipping
) -> None:
    api.fault(emptied(5, cost))
    with pytest.raises(JobFailed, match=r"(?s)without an image.*Next: Running the same inputs again asks"):
        run(runner)
    assert clock.slept < 20
    runner.restart()
    hurry()
    assert len(delivered(run(runner)[0])) == 4, "they have appeared"
    assert len(api.jobs) == 1 and runner.jobs()[0].state == "delivered"


@pytest.mark.parametrize("cost", [0.0, None])
def test_an_empty_output_that_stays_so_and_was_not_charged_makes_room_for_a_new_job(
    runner: Runner, api: Emulator, cost: float | None
) -> None:
    api.fault(emptied(6, cost))
    with pytest.raises(JobFailed, match=r"(?s)Running again submits a new job"):
        run(runner)
    results = api.count("result")
    first, *_ = runner.jobs()
    assert len(delivered(run(runner)[0])) == 4
    assert f"Request {first.request_id} was asked once more and has no file. This is a new job." in runner.host.text
    assert [row.state for row in runner.jobs()] == ["delivered", "failed"] and len(api.jobs) == 2
    assert api.count("result") == results + 2, "one question to the old job"


def test_an_empty_output_that_was_charged_is_asked_for_again_and_never_paid_anew(
    runner: Runner, api: Emulator
) -> None:
    api.fault(emptied(5, 0.4))
    api.fault(emptied(3, None))
    for _ in range(4):
        with pytest.raises(JobFailed, match=r"(?s)without an image.*Charged: yes, \$0\.40.*jobs retry"):
            run(runner)
    assert len(api.jobs) == 1
    assert len(delivered(run(runner)[0])) == 4 and len(api.jobs) == 1
    assert runner.jobs()[0].state == "delivered"


def test_a_delivered_job_did_not_end_without_an_image(runner: Runner, api: Emulator) -> None:
    run(runner)
    shutil.rmtree(runner.state / "kept")
    api.fault(Fault("file", times=None, status=410))
    api.fault(emptied(None, None))
    with pytest.raises(FileGone, match=r"(?s)HTTP 410.*Charged: yes, \$0\.40.*jobs retry"):
        run(runner)
    assert len(api.jobs) == 1


# Ids beside errors


def beside(status: int, **more: Any) -> Fault:
    """Accept the job, and answer with its id and an error."""
    return Fault("submit", edit=lambda answer: {"request_id": answer["request_id"], **more}, edit_status=status)


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (200, {"code": 20000}),
        (200, {"code": 20000, "error_message": "odd"}),
        (202, {"error_code": 500001}),
        (302, {}),
        (500, {"error_message": "It broke."}),
        (503, {}),
        (408, {}),
        (409, {}),
        (499, {}),
        (400, {"error_code": 400001}),
        (402, {}),
        (429, {}),
        (200, {"error_code": 400002}),
    ],
)
def test_an_id_is_followed_whatever_stands_beside_it(
    runner: Runner, api: Emulator, status: int, more: dict[str, Any]
) -> None:
    api.fault(beside(status, **more))
    batches, _, request_id = run(runner)
    assert request_id == api.jobs[0].request_id and same(delivered(batches), drawn(api, api.jobs[0]))
    assert api.count("submit") == 1 and len(api.jobs) == 1


@pytest.mark.parametrize("status", [408, 409, 499])
def test_what_may_have_been_accepted_is_never_called_not_charged(
    runner: Runner, api: Emulator, status: int
) -> None:
    api.fault(Fault("submit", status=status))
    with pytest.raises(SubmissionUnknown, match=r"(?s)may have been accepted.*Charged: not known") as raised:
        run(runner)
    assert raised.value.failure.charge is Charge.UNKNOWN


def test_an_id_that_a_refusal_names_and_nobody_knows_is_a_refusal(runner: Runner, api: Emulator) -> None:
    trace = {"request_id": "trace-1", "error_code": 422001, "error_message": "too rude"}
    api.fault(Fault("submit", status=422, body=trace))
    with pytest.raises(JobFailed, match=r"(?s)refused the input.*Reason given: too rude.*Charged: no\."):
        run(runner)
    assert runner.jobs()[0].state == "failed" and service().journal.spent_today() == 0.0
    assert len(delivered(run(runner)[0])) == 4 and len(api.jobs) == 1


def test_an_id_that_a_broken_answer_names_and_nobody_knows_stays_unknown(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("submit", status=500, body={"request_id": "trace-1"}))
    with pytest.raises(NotFound, match=r"(?s)Charged: not known.*does not pay twice"):
        run(runner)
    assert runner.jobs()[0].state == "submitted"


# A request id that was given


def collect(runner: Runner, request_id: str) -> Any:
    return runner.collect(request_id)


def test_a_wrong_request_id_leaves_nothing_behind(runner: Runner, api: Emulator) -> None:
    with pytest.raises(NotFound, match="Compare the request id"):
        collect(runner, "nobody-knows-it")
    with pytest.raises(NotFound):
        collect(runner, "others-job")
    threads.finish()
    assert runner.jobs() == []
    api.fault(Fault("status", status=401))
    request_id = service().client.submit(TEXT_TO_IMAGE.model_id, b'{"prompt": "from another machine"}')
    with pytest.raises(Unauthorized):
        collect(runner, request_id)
    assert runner.jobs() == []
    collect(runner, request_id)
    assert [row.state for row in runner.jobs()] == ["delivered"]


def test_a_job_of_this_machine_is_not_forgotten_where_it_is_collected_in_vain(
    runner: Runner, api: Emulator
) -> None:
    api.hold = True
    runner.host.stop_at = Stage.QUEUED
    api.fault(Fault("cancel", times=None, status=401))
    with pytest.raises(Interrupted):
        runner.run(TEXT_TO_IMAGE, **FOUR)
    threads.finish()
    runner.host = RecordingHost()
    api.fault(Fault("status", times=None, status=404))
    with pytest.raises(NotFound):
        collect(runner, api.jobs[0].request_id)
    assert [row.state for row in runner.jobs()] == ["submitted"]
