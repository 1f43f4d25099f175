"""What a client sees of each fault, and what it has cost by then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from makers import open_image
from PIL import Image

from emulator import Answers, Emulator, Fault, parse_fault
from emulator.faults import CALL_KINDS, FORMATS, INSTEAD, JOB_KINDS, SPOILED, FaultPlan

TEXT = "google/nano-banana-2/text-to-image"


@pytest.fixture
def emu() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def web(emu: Emulator) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {emu.token}"
        yield session


def submit(emu: Emulator, web: requests.Session, timeout: float = 9, **body: Any) -> requests.Response:
    url = f"{emu.base_url}/models/{TEXT}"
    return web.post(url, json={"prompt": "A tree"} | body, timeout=timeout, allow_redirects=False)


def status(emu: Emulator, web: requests.Session, request_id: str, timeout: float = 9) -> requests.Response:
    return web.get(f"{emu.base_url}/requests/{request_id}/status", timeout=timeout, allow_redirects=False)


def result(emu: Emulator, web: requests.Session, request_id: str) -> Any:
    return web.get(f"{emu.base_url}/requests/{request_id}/result?include_cost=true", timeout=9).json()


def done(emu: Emulator, web: requests.Session, **body: Any) -> str:
    return str(submit(emu, web, **body).json()["request_id"])


def file_url(emu: Emulator, web: requests.Session, **body: Any) -> str:
    return str(result(emu, web, done(emu, web, resolution="0.5K", **body))["output"]["image"])


# When a fault strikes


def test_the_first_calls_are_spared_and_then_so_many_are_hit(emu: Emulator, web: requests.Session) -> None:
    request_id = done(emu, web)
    emu.fault(Fault("status", status=502, after=1, times=2))
    seen = [status(emu, web, request_id).status_code for _ in range(5)]
    assert seen == [200, 502, 502, 200, 200]
    assert [call.status for call in emu.calls if call.what == "status"] == seen


def test_faults_of_one_place_strike_one_after_the_other() -> None:
    plan = FaultPlan()
    first, second, other = Fault("submit", status=500), Fault("submit", reset=True), Fault("result", empty=True)
    for fault in (other, first, second):
        plan.add(fault)
    assert [plan.strike("submit") for _ in range(3)] == [first, second, None]
    assert plan.strike("result") is other


def test_a_fault_for_ever_lasts_until_it_is_cleared(emu: Emulator, web: requests.Session) -> None:
    emu.fault(at="submit", status=500, times=None)
    assert {submit(emu, web).status_code for _ in range(4)} == {500}
    emu.clear_faults()
    assert submit(emu, web).ok


def test_faults_count_right_under_many_threads(emu: Emulator, web: requests.Session) -> None:
    emu.fault(at="submit", status=503, times=8)
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: submit(emu, web).status_code, range(24)))
    assert (codes.count(503), len(emu.jobs)) == (8, 16)


@pytest.mark.parametrize("place", ["submit", "status", "result", "cancel", "file", "catalog", "balance"])
def test_every_place_can_fail(emu: Emulator, web: requests.Session, place: str) -> None:
    urls = {
        "submit": f"{emu.base_url}/models/{TEXT}",
        "cancel": f"{emu.base_url}/requests/x/cancel",
        "file": f"{emu.origin}/files/x/y.png",
        "catalog": f"{emu.base_url}/models",
        "balance": f"{emu.origin}/prod/v2/balance",
    }
    emu.fault(at=place, status=418)
    url = urls.get(place, f"{emu.base_url}/requests/x/{place}")
    method = "POST" if place in ("submit", "cancel") else "GET"
    assert web.request(method, url, timeout=9).status_code == 418
    assert emu.count(place) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "nowhere", "status": 500},
        {"at": "submit"},
        {"at": "submit", "status": 500, "reset": True},
        {"at": "submit", "blocked": True},
        {"at": "job", "status": 500},
        {"at": "job", "format": "tiff"},
        {"at": "job", "fails": "no", "fails_in": "cancel"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Fault(**wrong)


def test_zero_is_a_value_and_not_an_absence() -> None:
    assert Fault("job", images=0).kinds == ("images",)
    assert Fault("status", hang=0).kind == "hang"
    assert Fault("job", fails="").kinds == ("fails",)


# Instead of the call


@pytest.mark.parametrize(
    ("more", "kind", "text"),
    [
        ({"status": 503}, "text/html", "503 Service Unavailable"),
        ({"status": 429}, "application/json", "Too Many Requests"),
        ({"status": 599}, "text/html", "599 No such status"),
        ({"status": 502, "body": "<p>bad gateway"}, "text/html", "<p>bad gateway"),
        ({"status": 200, "body": {"error_code": 500001, "error_message": "x"}}, "application/json", "500001"),
        ({"status": 500, "body": "no", "headers": {"Content-Type": "text/plain"}}, "text/plain", "no"),
        ({"status": 400, "body": b"\xff"}, "application/octet-stream", ""),
    ],
)
def test_a_status_is_answered_in_place_of_the_call(
    emu: Emulator, web: requests.Session, more: dict[str, Any], kind: str, text: str
) -> None:
    emu.fault(at="submit", **more | {"headers": {"Retry-After": "1"} | more.get("headers", {})})
    answer = submit(emu, web)
    assert (answer.status_code, answer.headers["Retry-After"]) == (more["status"], "1")
    assert answer.headers["Content-Type"].startswith(kind)
    assert text in answer.text
    assert emu.jobs == []


def test_a_reset_comes_before_the_job_is_accepted(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("submit", reset=True))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        submit(emu, web)
    assert emu.jobs == []
    assert (emu.calls[-1].what, emu.calls[-1].status) == ("submit", None)
    assert submit(emu, web).ok


def test_html_is_a_page_in_the_way(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("submit", html=True))
    answer = submit(emu, web)
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    assert answer.text.startswith("<!doctype html>") and emu.jobs == []


@pytest.mark.parametrize(("more", "code"), [({}, 302), ({"status": 307}, 307)])
def test_redirects_of_calls_and_files(
    emu: Emulator, web: requests.Session, more: dict[str, int], code: int
) -> None:
    url = file_url(emu, web)
    for place in ("status", "file"):
        emu.fault(Fault(place, redirect="http://elsewhere.example/x", **more))  # type: ignore[arg-type]
    for answer in (status(emu, web, "x"), web.get(url, allow_redirects=False, timeout=9)):
        assert (answer.status_code, answer.headers["Location"]) == (code, "http://elsewhere.example/x")


def test_other_bytes_of_another_type_come_in_place_of_a_file(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    emu.fault(Fault("file", content=b"GIF89a", content_type="image/gif"))
    answer = web.get(url, timeout=9)
    assert (answer.content, answer.headers["Content-Type"]) == (b"GIF89a", "image/gif")
    emu.fault(Fault("file", content_type="text/plain"))
    answer = web.get(url, timeout=9)
    assert (answer.content[:4], answer.headers["Content-Type"].split(";")[0]) == (b"\x89PNG", "text/plain")


def test_a_bomb_is_tiny_and_declares_900_megapixels(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    emu.fault(Fault("file", bomb=True))
    data = web.get(url, timeout=9).content
    assert len(data) < 200
    with pytest.raises(Image.DecompressionBombError, match="900000000"):
        open_image(data)


def test_endless_bytes_end_when_the_client_leaves(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    emu.fault(Fault("file", endless=True))
    with web.get(url, stream=True, timeout=9) as answer:
        received = 0
        for chunk in answer.iter_content(1 << 20):
            received += len(chunk)
            if received > 8 << 20:
                break
    assert "Content-Length" not in answer.headers
    before = time.perf_counter()
    emu.stop()
    assert time.perf_counter() - before < 1


def test_a_file_may_come_late(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    emu.fault(Fault("file", status=404, times=2))
    assert [web.get(url, timeout=9).status_code for _ in range(3)] == [404, 404, 200]


# Hanging


def test_a_client_that_leaves_a_hanging_submit_was_never_served(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("submit", hang=30))
    with pytest.raises(requests.ReadTimeout):
        submit(emu, web, timeout=0.1)
    time.sleep(0.1)
    assert emu.jobs == [] and emu.calls[-1].status is None


def test_a_submit_that_hangs_after_is_accepted(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("submit", hang_after=30))
    with pytest.raises(requests.ReadTimeout):
        submit(emu, web, timeout=0.5)
    assert len(emu.billed) == 1


@pytest.mark.parametrize("kind", ["hang", "hang_after"])
def test_a_patient_client_is_served_as_normal(emu: Emulator, web: requests.Session, kind: str) -> None:
    emu.fault(at="submit", **{kind: 0.2})
    before = time.perf_counter()
    assert submit(emu, web).ok
    assert time.perf_counter() - before >= 0.2
    assert len(emu.jobs) == 1


@pytest.mark.parametrize("kind", ["hang", "hang_after", "drip"])
def test_stop_ends_what_hangs(emu: Emulator, web: requests.Session, kind: str) -> None:
    request_id = done(emu, web)
    emu.fault(at="status", **{kind: 30.0})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(status, emu, web, request_id, 20)
        while emu.count("status") == 0:
            time.sleep(0.01)
        before = time.perf_counter()
        emu.stop()
        assert time.perf_counter() - before < 1
        error = waiting.exception()
    assert kind == "drip" or isinstance(error, requests.ConnectionError)


# The call is done, its answer is spoiled


@pytest.mark.parametrize("kind", ["lost", "truncated", "garbage", "empty"])
def test_a_spoiled_answer_to_a_submit_leaves_a_billed_job(emu: Emulator, web: requests.Session, kind: str) -> None:
    emu.fault(at="submit", **{kind: True})
    with pytest.raises(requests.RequestException):
        submit(emu, web).json()
    assert len(emu.billed) == 1
    assert emu.calls[-1].request_id == emu.jobs[0].request_id


def test_a_lost_answer_is_a_reset_connection(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("submit", lost=True))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        submit(emu, web)
    assert emu.calls[-1].status is None


def test_a_lost_cancel_has_cancelled(emu: Emulator, web: requests.Session) -> None:
    emu.hold = True
    request_id = done(emu, web)
    emu.fault(Fault("cancel", lost=True))
    with pytest.raises(requests.ConnectionError):
        web.post(f"{emu.base_url}/requests/{request_id}/cancel", timeout=9)
    assert emu.jobs[0].state == "cancelled" and emu.billed == []


def test_garbage_and_nothing_are_200(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("status", garbage=True))
    emu.fault(Fault("status", empty=True))
    garbage, nothing = status(emu, web, "x"), status(emu, web, "x")
    assert (garbage.status_code, garbage.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(requests.JSONDecodeError):
        garbage.json()
    assert (nothing.status_code, nothing.content) == (200, b"")


def announced_and_received(web: requests.Session, url: str) -> tuple[int, bytes]:
    """Read what comes before the connection is cut; whether that is an error is up to the client's version."""
    received = b""
    with web.get(url, stream=True, timeout=9) as answer:
        with contextlib.suppress(requests.exceptions.ChunkedEncodingError):
            for chunk in answer.iter_content(64):
                received += chunk
        return int(answer.headers["Content-Length"]), received


def test_a_truncated_answer_announces_more_than_it_sends(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    whole = web.get(url, timeout=9).content
    emu.fault(Fault("file", truncated=True))
    announced, received = announced_and_received(web, url)
    assert announced == len(whole)
    assert received and whole[: len(whole) // 2].startswith(received)


def test_a_truncated_file_can_be_taken_up_by_range(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    whole = web.get(url, timeout=9).content
    emu.fault(Fault("file", truncated=True))
    _, start = announced_and_received(web, url)
    assert start + web.get(url, headers={"Range": f"bytes={len(start)}-"}, timeout=9).content == whole


def test_an_edit_passes_the_answer_through_a_function(emu: Emulator, web: requests.Session) -> None:
    request_id = done(emu, web)
    emu.fault(Fault("status", edit=lambda payload: payload | {"status": "melting"}))
    assert status(emu, web, request_id).json()["status"] == "melting"
    assert status(emu, web, request_id).json()["status"] == "completed"


def test_a_cut_file_is_consistent_and_ignores_ranges(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    whole = web.get(url, timeout=9).content
    emu.fault(Fault("file", cut=0.5))
    answer = web.get(url, headers={"Range": "bytes=10-20"}, timeout=9)
    assert (answer.status_code, answer.content) == (200, whole[: len(whole) // 2])
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_lying_length_announces_a_terabyte(emu: Emulator, web: requests.Session) -> None:
    url = file_url(emu, web)
    whole = web.get(url, timeout=9).content
    emu.fault(Fault("file", length=10**12))
    announced, received = announced_and_received(web, url)
    assert announced == 10**12
    assert whole.startswith(received) and len(received) > len(whole) - 64


def test_a_dripping_file_comes_byte_by_byte(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", files=[b"12345"]))
    url = file_url(emu, web)
    emu.fault(Fault("file", drip=0.05))
    before = time.perf_counter()
    assert web.get(url, timeout=9).content == b"12345"
    assert time.perf_counter() - before >= 0.2


# What becomes of a job


@pytest.mark.parametrize("reason", ["The model gave up.", {"code": "X", "message": "y"}])
def test_a_failed_job_tells_its_reason_and_is_not_billed(emu: Emulator, web: requests.Session, reason: Any) -> None:
    emu.fault(Fault("job", fails=reason))
    request_id = done(emu, web)
    for answer in (status(emu, web, request_id).json(), result(emu, web, request_id)):
        assert (answer["status"], answer["error"]) == ("failed", reason)
    assert (emu.jobs[0].state, emu.jobs[0].cost, emu.billed) == ("failed", 0.0, [])
    assert status(emu, web, done(emu, web)).json()["status"] == "completed"


def test_a_failure_may_show_only_in_the_result(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", fails="no", fails_in="result", times=None))
    request_id = done(emu, web)
    assert status(emu, web, request_id).json()["status"] == "completed"
    assert result(emu, web, request_id)["status"] == "failed"


def test_the_form_says_where_a_failure_shows_and_the_fault_may_overrule_it(
    emu: Emulator, web: requests.Session
) -> None:
    emu.answers = Answers(fails_in="result")
    emu.fault(Fault("job", fails="no"))
    emu.fault(Fault("job", fails="no", fails_in="status"))
    shown = [status(emu, web, done(emu, web)).json()["status"] for _ in range(2)]
    assert shown == ["completed", "failed"]


def test_a_failure_may_have_no_reason(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", fails=""))
    assert "error" not in status(emu, web, done(emu, web)).json()


def test_a_blocked_job_succeeds_with_nothing_and_is_billed(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", blocked=True))
    answer = result(emu, web, done(emu, web, num_images=2))
    assert (answer["status"], answer["output"], answer["cost"]) == ("succeeded", {}, 0.2)
    assert len(emu.billed) == 1


def test_fewer_images_and_images_of_several_sizes(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", images=1))
    assert list(result(emu, web, done(emu, web, num_images=4))["output"]) == ["image"]
    sizes = [(1024, 1024), (512, 768), (1024, 1024)]
    emu.fault(Fault("job", sizes=sizes))
    urls = result(emu, web, done(emu, web))["output"]["images"]
    assert [open_image(web.get(url, timeout=9).content).size for url in urls] == sizes


@pytest.mark.parametrize(
    ("make", "kind", "mode"),
    [
        ("jpeg", "JPEG", "RGB"),
        ("png", "PNG", "RGB"),
        ("webp", "WEBP", "RGB"),
        ("png16", "PNG", "I;16"),  # "I" to Pillow before 11
        ("palette", "PNG", "P"),
        ("cmyk", "JPEG", "CMYK"),
        ("gray", "PNG", "L"),
        ("rgba", "PNG", "RGBA"),
        ("exif-rotated", "JPEG", "RGB"),
    ],
)
def test_files_of_every_make(emu: Emulator, web: requests.Session, make: str, kind: str, mode: str) -> None:
    assert make in FORMATS
    emu.fault(Fault("job", format=make))
    answer = web.get(file_url(emu, web, aspect_ratio="16:9"), timeout=9)
    with open_image(answer.content) as image:
        assert image.format == kind
        assert image.mode == mode or (mode, image.mode) == ("I;16", "I")
        turned = make == "exif-rotated"
        assert (image.width > image.height) is not turned
        assert image.getexif().get(0x0112) == (6 if turned else None)
    assert answer.headers["Content-Type"] == f"image/{kind.lower()}"


def test_exact_files_are_served_as_they_are(emu: Emulator, web: requests.Session) -> None:
    files = [b"\xff\xd8 no jpeg", b"anything", b""]
    emu.fault(Fault("job", files=files))
    urls = result(emu, web, done(emu, web))["output"]["images"]
    assert [web.get(url, timeout=9).content for url in urls] == files
    assert [url.rsplit(".", 1)[1] for url in urls] == ["jpg", "bin", "bin"]


def test_the_cost_may_come_late(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", late_cost=2))
    request_id = done(emu, web)
    assert ["cost" in result(emu, web, request_id) for _ in range(3)] == [False, False, True]


def test_a_job_may_take_several_blows_at_once(emu: Emulator, web: requests.Session) -> None:
    emu.fault(Fault("job", images=2, format="gray", late_cost=1))
    answer = result(emu, web, done(emu, web))
    assert len(answer["output"]["images"]) == 2 and "cost" not in answer


# The short form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("submit:503", {"at": "submit", "status": 503, "times": 1, "after": 0}),
        ("file:reset*2", {"at": "file", "reset": True, "times": 2}),
        ("job:blocked", {"at": "job", "blocked": True}),
        ("job:fails=Too dark: 5*5", {"at": "job", "fails": "Too dark: 5", "times": 5}),
        ("status:hang=2.5*forever@3", {"hang": 2.5, "times": None, "after": 3}),
        ("status:hang-after=1@1", {"hang_after": 1.0, "after": 1}),
        ("file:redirect=http://user@a.example/b*c", {"redirect": "http://user@a.example/b*c"}),
        ("job:sizes=64x32,16x16", {"sizes": [(64, 32), (16, 16)]}),
        ("job:format=exif-rotated", {"format": "exif-rotated"}),
        (" file:length=1000000000000 ", {"length": 10**12}),
    ],
)
def test_the_short_form_of_a_fault(text: str, expected: dict[str, Any]) -> None:
    fault = parse_fault(text)
    assert {name: getattr(fault, name) for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    ["", "submit", "submit:", "submit:what", "submit:hang", "submit:reset=1", "submit:hang=soon", "moon:503",
     "job:503", "submit:blocked", "submit:edit=x", "job:sizes=1", "job:format=tiff", "submit:503*x"],
)  # fmt: skip
def test_a_short_form_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_fault(text)


def test_every_kind_that_needs_no_code_has_a_short_form() -> None:
    values = {
        "redirect": "x",
        "content_type": "a/b",
        "fails": "x",
        "format": "png",
        "sizes": "1x1",
        "status": "500",
        "medium": "video",
    }
    for kind in {*CALL_KINDS, *JOB_KINDS} - {"edit", "content", "files"}:
        place = "job" if kind in JOB_KINDS else "file"
        flag = isinstance(getattr(Fault("job", blocked=True), kind), bool)
        assert parse_fault(f"{place}:{kind}" + ("" if flag else f"={values.get(kind, '1')}")).kinds == (kind,)


def test_kinds_are_sorted_without_overlap() -> None:
    assert len({*INSTEAD, "hang", *SPOILED, *JOB_KINDS}) == len(INSTEAD) + 1 + len(SPOILED) + len(JOB_KINDS)
