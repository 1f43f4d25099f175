"""The emulator speaks every known form of the model API, bills as it does, and draws what was asked for."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import requests
from makers import file_of, open_image, uri_of
from PIL import Image

from emulator import OTHERS_PREFIX, TOLERATED, Answers, Emulator
from emulator.__main__ import main
from emulator.asked import Asked
from emulator.drawing import SHELF, draw
from emulator.jobs import JobBook
from emulator.plans import RATIOS, SIDES, Plan, image_size, nearest_ratio

TEXT = "google/nano-banana-2/text-to-image"
EDIT = "google/nano-banana/pro/edit"
VIDEO = "minimax/minimax-h3/reference-to-video"
ROOT = Path(__file__).resolve().parents[2]


class Client:
    """The few calls of the API, with the token."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {emulator.token}"

    def post(self, body: Any, model_id: str = TEXT, **more: Any) -> requests.Response:
        return self.session.post(f"{self.emulator.base_url}/models/{model_id}", json=body, timeout=20, **more)

    def submit(self, model_id: str = TEXT, **body: Any) -> str:
        answer = self.post({"prompt": "A tree"} | body, model_id)
        assert answer.ok, answer.text
        return str(answer.json()["request_id"])

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(f"{self.emulator.base_url}{path}", timeout=20, **more)

    def status(self, request_id: str) -> Any:
        return self.get(f"/requests/{request_id}/status").json()

    def result(self, request_id: str, query: str = "") -> Any:
        return self.get(f"/requests/{request_id}/result{query}").json()

    def cancel(self, request_id: str) -> requests.Response:
        return self.session.post(f"{self.emulator.base_url}/requests/{request_id}/cancel", timeout=20)

    def file(self, url: str, **headers: str) -> requests.Response:
        return self.session.get(url, headers={"Authorization": None, **headers}, timeout=20)

    def image(self, url: str) -> Image.Image:
        return open_image(self.file(url).content)


Open = Callable[..., Client]


@pytest.fixture
def opened() -> Iterator[Open]:
    clients: list[Client] = []

    def open_client(*args: Any, **settings: Any) -> Client:
        emulator = Emulator(*args, **settings)
        emulator.start()
        clients.append(Client(emulator))
        return clients[-1]

    yield open_client
    for client in clients:
        client.session.close()
        client.emulator.stop()


@pytest.fixture
def api(opened: Open) -> Client:
    return opened()


def png_uri(width: int, height: int, colour: str = "red") -> str:
    return uri_of(file_of(Image.new("RGB", (width, height), colour)))


# The documented forms


def test_submit_answers_200_with_an_id_and_three_urls(api: Client) -> None:
    answer = api.post({"prompt": "A tree"})
    payload = answer.json()
    start = f"{api.emulator.base_url}/requests/{payload['request_id']}"
    assert answer.status_code == 200
    assert payload == {
        "request_id": api.emulator.jobs[0].request_id,
        "status_url": f"{start}/status",
        "result_url": f"{start}/result",
        "cancel_url": f"{start}/cancel",
    }
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", payload["request_id"])


def test_documented_end_is_completed_in_status_and_succeeded_in_result(api: Client) -> None:
    request_id = api.submit()
    assert api.status(request_id)["status"] == "completed"
    assert "queue_position" not in api.status(request_id)
    result = api.result(request_id)
    assert (result["status"], result["model_id"], result["request_id"]) == ("succeeded", TEXT, request_id)
    assert "cost" not in result and "input" not in result


@pytest.mark.parametrize(("count", "key"), [(1, "image"), (3, "images")])
def test_documented_output_is_image_for_one_and_images_for_several(api: Client, count: int, key: str) -> None:
    output = api.result(api.submit(num_images=count))["output"]
    assert list(output) == [key]
    assert count == 1 or len(set(output[key])) == count


def test_unfinished_result_is_200_with_the_state(api: Client) -> None:
    api.emulator.hold = True
    answer = api.get(f"/requests/{api.submit()}/result")
    assert (answer.status_code, answer.json()["status"]) == (200, "in_queue")
    assert "output" not in answer.json() and "finished_at" not in answer.json()


def test_cost_comes_only_when_asked_for(api: Client) -> None:
    request_id = api.submit(num_images=2)
    assert api.result(request_id, "?include_cost=true")["cost"] == 0.2
    assert "cost" not in api.result(request_id, "?include_cost=false")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Authorization": "Bearer wrong"}, 400),
        ({"Authorization": None}, 400),
        ({"Authorization": "x"}, 400),
    ],
)
def test_only_the_token_is_let_in(api: Client, headers: dict[str, Any], status: int) -> None:
    answer = api.post({"prompt": "A tree"}, headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error_code"] == 400004
    assert len(api.emulator.jobs) == (status == 200)


def test_a_token_of_ones_own_is_accepted(opened: Open) -> None:
    api = opened(token="other-token")
    assert api.emulator.token == "other-token"
    assert api.post({"prompt": "A tree"}).ok


def test_unknown_model_empty_balance_and_foreign_ids_have_their_codes(api: Client) -> None:
    assert api.post({"prompt": "A tree"}, "nobody/nothing").json()["error_code"] == 400001
    api.emulator.balance_usd = 0
    assert api.post({"prompt": "A tree"}).json()["error_code"] == 400002
    for call in ("status", "result"):
        assert api.get(f"/requests/unknown/{call}").json()["error_code"] == 404001
        answer = api.get(f"/requests/{OTHERS_PREFIX}1/{call}")
        assert (answer.status_code, answer.json()["error_code"]) == (400, 403001)
    assert api.cancel("unknown").json()["error_code"] == 404001
    assert api.emulator.jobs == []


def test_balance_lies_at_the_origin_and_needs_the_token(api: Client) -> None:
    api.emulator.balance_usd = -1.5
    url = f"{api.emulator.origin}/prod/v2/balance"
    assert api.session.get(url, timeout=9).json() == {"balance_usd": -1.5, "currency": "USD"}
    assert api.session.get(url, headers={"Authorization": None}, timeout=9).status_code == 400


def test_catalog_entry_names_price_and_published_schema(api: Client) -> None:
    api.emulator.prices[TEXT] = 0.5
    entry = api.get(f"/models/{TEXT}").json()
    path = ROOT / "nodes/models/google/nano-banana-2-text-to-image.json"
    published = json.loads(path.read_text(encoding="utf-8"))["input_schema"]["properties"]
    properties = entry["input_schema"]["properties"]
    assert list(properties) == sorted(published) and not any("title" in one for one in properties.values())
    assert properties["seed"]["default"] == published["seed"]["default"]
    assert (entry["model_id"], entry["base_price_usd"], entry["price_unit"]) == (TEXT, 0.5, "output")
    assert (entry["kind"], entry["categories"]) == ("model", ["text-to-image"])
    assert api.get(f"/models/{VIDEO}").json()["price_unit"] == "second"
    assert api.get("/models/none").json()["error_code"] == 400001


def test_catalog_is_searched_and_paged(api: Client) -> None:
    def ids(query: str) -> list[str]:
        return [model["model_id"] for model in api.get(f"/models?{query}").json()["models"]]

    assert set(ids("")) >= {TEXT, EDIT}
    assert ids("") == sorted(ids("")), "by the models' ids"
    assert EDIT in ids("search=banana+edit") and TEXT not in ids("search=banana+edit")
    assert TEXT in ids("category=text-to-image&limit=500") and EDIT not in ids("category=text-to-image&limit=500")
    assert ids("kind=model") == ids("") and ids("kind=workflow") == []
    categories = api.get("/models/categories").json()["categories"]
    assert {"text-to-image", "text-to-audio", "image-to-video"} <= set(categories)
    assert ids("limit=1") + ids("limit=1&offset=1") == ids("limit=2")
    assert "input_schema" not in api.get("/models").json()["models"][0]
    assert "input_schema" in api.get("/models?include_schema=true").json()["models"][0]
    assert api.get("/models?limit=many").status_code == 400


def test_other_paths_are_404_and_recorded(api: Client) -> None:
    assert api.session.get(f"{api.emulator.origin}/nowhere?a=%20b", timeout=9).status_code == 404
    call = api.emulator.calls[-1]
    assert (call.what, call.path, call.status) == ("other", "/nowhere?a=%20b", 404)


def test_calls_are_recorded_in_order_with_what_was_sent(api: Client) -> None:
    before = time.monotonic()
    request_id = api.submit(prompt="Ä")
    api.result(request_id, "?include_cost=true")
    submit, result = api.emulator.calls
    assert [submit.what, submit.method, submit.status, submit.request_id] == ["submit", "POST", 200, request_id]
    assert submit.size == int(submit.headers["content-length"]) > 0
    assert result.path == f"/v1/requests/{request_id}/result?include_cost=true"
    assert result.headers["authorization"] == result.headers["Authorization"] == f"Bearer {api.emulator.token}"
    assert before <= submit.at <= result.at <= time.monotonic()
    assert (api.emulator.count("submit"), api.emulator.count("file")) == (1, 0)
    assert api.emulator.jobs[0].body == {"prompt": "Ä"}


# The tolerated forms


def test_tolerated_forms_begin_with_202_and_bare_strings(opened: Open) -> None:
    api = opened(answers="tolerated")
    api.emulator.hold = True
    answer = api.post({"prompt": "A tree"})
    request_id = answer.json()["request_id"]
    assert (answer.status_code, answer.json()) == (202, {"request_id": request_id, "status": "in_queue"})
    assert api.status(request_id)["status"] == "pending"
    unfinished = api.get(f"/requests/{request_id}/result")
    assert (unfinished.status_code, unfinished.json()["code"]) == (400, 400005)
    api.emulator.hold = False
    assert api.status(request_id)["status"] == "succeeded"
    assert isinstance(api.result(request_id)["output"], str)


def test_tolerated_jobs_speak_every_form_of_output_in_turns(opened: Open) -> None:
    api = opened(answers="tolerated")
    shapes = set()
    for _ in TOLERATED:
        output = api.result(api.submit())["output"]
        shapes.add(next(iter(output)) if isinstance(output, dict) else type(output).__name__)
    assert shapes == {"str", "list", "image", "images"}


def test_tolerated_errors_use_http_statuses_and_take_turns_in_naming(opened: Open) -> None:
    api = opened(answers="tolerated")
    statuses, names = set(), set()
    for _ in TOLERATED:
        answer = api.get("/requests/unknown/status")
        statuses.add(answer.status_code)
        names |= set(answer.json())
        token = api.post({}, headers={"Authorization": "Bearer no"})
        assert token.status_code == 401
    assert statuses == {404, 200}
    assert names >= {"code", "error_code", "detail", "message", "error"}


def test_every_form_is_spoken_somewhere() -> None:
    for name, allowed in get_type_hints(Answers).items():
        spoken = {getattr(form, name) for form in (Answers(), *TOLERATED)}
        if options := set(get_args(allowed)) - {"foreign", "own"}:
            assert spoken >= options, name


@pytest.mark.parametrize(
    ("errors", "statuses"),
    [
        ("documented", [400, 400, 400, 400, 400]),
        ("http", [404, 402, 401, 404, 422]),
        ("ok", [200, 200, 200, 200, 200]),
    ],
)
def test_error_statuses_by_form(opened: Open, errors: Any, statuses: list[int]) -> None:
    api = opened(answers=Answers(errors=errors, error_code="code", error_text="problems"))
    answers = [api.post({"prompt": "A tree"}, "no/model")]
    api.emulator.balance_usd = 0
    answers += [api.post({"prompt": "A tree"}), api.post({}, headers={"Authorization": None})]
    api.emulator.balance_usd = 1
    answers += [api.get("/requests/unknown/result"), api.post({"prompt": "A tree", "num_images": 9})]
    assert [answer.status_code for answer in answers] == statuses
    assert [answer.json()["code"] for answer in answers] == [400001, 400002, 400004, 404001, 422001]
    assert answers[-1].json()["detail"][0]["loc"] == ["body", "num_images"]


@pytest.mark.parametrize(
    ("output", "count", "shape"),
    [
        ("images", 1, {"images": 1}),
        ("image", 2, {"images": 2}),
        ("bare_string", 1, 0),
        ("bare_string", 2, 2),
        ("bare_list", 1, 1),
    ],
)
def test_output_by_form(opened: Open, output: Any, count: int, shape: Any) -> None:
    api = opened(answers={"output": output})
    given = api.result(api.submit(num_images=count))["output"]
    if isinstance(shape, dict):
        assert {key: len(value) for key, value in given.items()} == shape
    else:
        assert isinstance(given, str) if shape == 0 else len(given) == shape


def test_foreign_urls_and_echoed_inputs_are_only_given_when_asked_for(opened: Open) -> None:
    api = opened(answers=Answers(urls="foreign", echo=True))
    answer = api.post({"prompt": "A tree"}).json()
    assert {answer[f"{name}_url"].split("/")[2] for name in ("status", "result", "cancel")} == {"collector.example"}
    assert "collector.example" in api.status(answer["request_id"])["result_url"]
    assert api.result(answer["request_id"])["input"] == {"prompt": "A tree"}


def test_the_form_can_be_changed_while_it_runs(api: Client) -> None:
    api.emulator.answers = Answers(submit_status=202)
    assert api.post({"prompt": "A tree"}).status_code == 202


@pytest.mark.parametrize("wrong", [{"answers": "free"}, {"validation": "some"}])
def test_settings_that_do_not_exist_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        Emulator(**wrong)


# Bodies


@pytest.mark.parametrize(
    ("model_id", "body", "where"),
    [
        (TEXT, {}, "prompt"),
        (TEXT, {"prompt": 3}, "prompt"),
        (TEXT, {"prompt": "x", "num_images": 5}, "num_images"),
        (TEXT, {"prompt": "x", "num_images": True}, "num_images"),
        (TEXT, {"prompt": "x", "safety_tolerance": "4"}, "safety_tolerance"),
        (TEXT, {"prompt": "x", "aspect_ratio": "1:2"}, "aspect_ratio"),
        (TEXT, {"prompt": "x", "rerun_seed": 1}, "rerun_seed"),
        (EDIT, {"prompt": "x"}, "image_urls"),
        (EDIT, {"prompt": "x", "image_urls": []}, "image_urls"),
        (EDIT, {"prompt": "x", "image_urls": ["https://a.example/1.png"] * 21}, "image_urls"),
        (EDIT, {"prompt": "x", "image_urls": ["https://a.example/1.png", "ftp://a"]}, "image_urls.1"),
        (EDIT, {"prompt": "x", "image_urls": ["data:text/html;base64,AAAA"]}, "image_urls.0"),
        (EDIT, {"prompt": "x", "image_urls": ["https://a.example/1.png"], "resolution": "0.5K"}, "resolution"),
    ],
)
def test_strict_validation_names_the_field(api: Client, model_id: str, body: Any, where: str) -> None:
    answer = api.post(body, model_id)
    assert (answer.status_code, answer.json()["error_code"]) == (400, 422001)
    assert answer.json()["error_message"].startswith(f"{where}:")
    assert api.emulator.jobs == []


def test_lenient_validation_queues_any_object_and_still_draws(opened: Open) -> None:
    api = opened(validation="lenient")
    request_id = api.submit(
        num_images="9", aspect_ratio=[1], resolution=None, output_format="tiff", prompt=["\ud800"]
    )
    assert api.image(api.result(request_id)["output"]["image"]).size == (1024, 1024)
    assert api.post(["prompt"]).json()["error_code"] == 422001


def test_a_body_that_is_not_json_is_refused(api: Client) -> None:
    url = f"{api.emulator.base_url}/models/{TEXT}"
    as_json = {"Content-Type": "application/json; charset=utf-8"}
    assert api.session.post(url, data="{", headers=as_json, timeout=9).json()["error_code"] == 422001
    assert api.session.post(url, data='{"prompt": "x"}', headers=as_json, timeout=9).ok
    assert api.session.post(url, data={"prompt": "x"}, timeout=9).status_code == 415


def test_a_body_over_64_mib_is_refused_with_413(api: Client) -> None:
    url, headers = f"{api.emulator.base_url}/models/{TEXT}", {"Content-Type": "application/json"}
    limit = 64 * 1024 * 1024
    body = b'{"prompt":"x"}'
    assert api.session.post(url, data=body.ljust(limit), headers=headers, timeout=20).ok
    assert api.session.post(url, data=body.ljust(limit + 1), headers=headers, timeout=20).status_code == 413
    assert [call.size for call in api.emulator.calls] == [limit, limit + 1]
    assert len(api.emulator.jobs) == 1


def test_floats_null_defaults_and_published_conventions_are_understood(opened: Open, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "strength": {"type": "float", "minimum": 0, "maximum": 1, "default": None},
            "image": {"type": "string", "format": "image_uri"},
        },
    }
    model = {"model_id": "a/b", "display_name": "B", "description": "", "input_schema": schema}
    (tmp_path / "b.json").write_text(json.dumps(model), encoding="utf-8")
    api = opened(models=tmp_path)
    assert api.post({"strength": 0.5, "image": png_uri(1, 1)}, "a/b").ok
    assert api.post({"strength": 2}, "a/b").json()["error_message"].startswith("strength:")
    assert api.post({"image": "nothing"}, "a/b").json()["error_message"].startswith("image:")


def test_strict_validation_without_its_library_is_an_error_and_not_lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(RuntimeError, match="jsonschema"):
        Emulator()
    assert Emulator(validation="lenient").jobs == []


# A job's life, and what it costs


def test_a_job_queues_counts_down_runs_and_ends() -> None:
    now = [0.0]
    book = JobBook(clock=lambda: now[0])
    job = book.accept("m", {}, queue=4, run=lambda _body: 2.0, base_price=0.1, outcome=None)
    seen = []
    for now[0] in (0.0, 1.0, 3.9, 4.0, 5.9, 6.0, 99.0):
        seen.append((job.state, job.queue_position if job.state == "in_queue" else None))
    queued = [("in_queue", 4), ("in_queue", 3), ("in_queue", 0)]
    assert seen == [*queued, *[("in_progress", None)] * 2, *[("completed", None)] * 2]
    assert job.finished_at == pytest.approx(job.created_at + 6)


def test_a_held_job_moves_on_from_the_moment_it_is_released() -> None:
    now = [0.0]
    book = JobBook(clock=lambda: now[0])
    book.hold(book.queue_gate, True)
    job = book.accept("m", {}, queue=1, run=2, base_price=0.1, outcome=None)
    now[0] = 50
    assert (job.state, job.queue_position) == ("in_queue", 0)
    book.hold(book.queue_gate, False)
    now[0] = 51
    assert job.state == "in_progress"
    book.hold(book.run_gate, True)
    now[0] = 90
    assert job.state == "in_progress"
    book.hold(book.run_gate, False)
    assert job.state == "completed"
    assert job.finished_at == pytest.approx(job.created_at + 90)


def test_status_tells_the_queue_position_only_in_the_queue(opened: Open) -> None:
    api = opened(queue_seconds=lambda body: 60 if body["prompt"] == "slow" else 0, run_seconds=60)
    slow, running = api.status(api.submit(prompt="slow")), api.status(api.submit())
    assert (slow["status"], slow["queue_position"]) == ("in_queue", 3)
    assert running["status"] == "in_progress" and "queue_position" not in running


def test_pace_changes_hold_for_later_jobs_and_finish_ends_one(api: Client) -> None:
    api.emulator.queue_seconds = 60
    first = api.submit()
    api.emulator.queue_seconds, api.emulator.run_seconds = 0, 60.0
    second = api.submit()
    assert [api.status(first)["status"], api.status(second)["status"]] == ["in_queue", "in_progress"]
    api.emulator.finish(first)
    assert [job.state for job in api.emulator.jobs] == ["completed", "in_progress"]
    with pytest.raises(KeyError):
        api.emulator.finish("unknown")


def test_only_a_queued_job_can_be_cancelled_and_is_not_billed(api: Client) -> None:
    api.emulator.hold = True
    queued = api.submit()
    answer = api.cancel(queued)
    assert answer.status_code == 202
    assert answer.json() == {"request_id": queued, "status": "cancelled", "outcome": "cancelled"}
    assert (api.status(queued)["status"], api.result(queued)["status"]) == ("cancelled", "cancelled")
    api.emulator.hold, api.emulator.hold_running = False, True
    running = api.submit()
    assert api.cancel(running).json()["outcome"] == "not_cancellable"
    assert api.status(running)["status"] == "in_progress"
    api.emulator.hold_running = False
    assert api.cancel(running).json() == {
        "request_id": running,
        "status": "completed",
        "outcome": "not_cancellable",
    }
    assert [job.request_id for job in api.emulator.billed] == [running]
    first, second = api.emulator.jobs
    assert (first.cancelled, first.cost, second.cancelled, second.cost) == (True, 0.0, False, 0.1)


def test_a_cancellation_may_only_be_requested(opened: Open) -> None:
    api = opened(answers=Answers(cancel_outcome="cancellation_requested", cancelled="canceled"))
    api.emulator.hold = True
    request_id = api.submit()
    assert api.cancel(request_id).json()["outcome"] == "cancellation_requested"
    assert api.status(request_id)["status"] == "canceled"


def test_price_follows_images_and_size(api: Client) -> None:
    api.emulator.prices[TEXT] = 1.0
    api.submit(num_images=3)
    api.submit(resolution="4K")
    assert [job.cost for job in api.emulator.billed] == [3.0, 2.0]


def test_32_submits_at_once_are_32_jobs(api: Client) -> None:
    with ThreadPoolExecutor(32) as pool:
        ids = set(pool.map(lambda number: api.submit(seed=number), range(32)))
    assert len(ids) == len(api.emulator.jobs) == api.emulator.count("submit") == 32


# Files


def test_a_file_needs_its_percent_encoding_and_no_token(api: Client) -> None:
    url = api.result(api.submit())["output"]["image"]
    assert url.endswith("/a%20b%2Bc-0.png")
    assert api.file(url).headers["Content-Type"] == "image/png"
    assert "Authorization" not in api.emulator.calls[-1].headers
    assert api.file(url.replace("%2B", "+")).status_code == 404
    assert api.session.get(url, timeout=9).ok
    assert "Authorization" in api.emulator.calls[-1].headers


def test_a_file_exists_only_once_the_job_is_completed(api: Client) -> None:
    api.emulator.hold_running = True
    request_id = api.submit()
    url = f"{api.emulator.origin}/files/{request_id}/a%20b%2Bc-0.png"
    assert api.file(url).status_code == 404
    api.emulator.hold_running = False
    assert api.file(url).ok
    assert api.file(f"{api.emulator.origin}/files/unknown/0.png").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "part", "range_"),
    [
        ("bytes=0-9", slice(0, 10), "0-9"),
        ("bytes=10-", slice(10, None), "10-{last}"),
        ("bytes=-5", slice(-5, None), "{fifth}-{last}"),
        ("bytes=5-99999999", slice(5, None), "5-{last}"),
    ],
)
def test_ranges_of_a_file(api: Client, wanted: str, part: slice, range_: str) -> None:
    url = api.result(api.submit())["output"]["image"]
    whole = api.file(url)
    answer = api.file(url, Range=wanted)
    last = len(whole.content) - 1
    assert (answer.status_code, answer.content) == (206, whole.content[part])
    assert answer.headers["Content-Range"] == f"bytes {range_.format(last=last, fifth=last - 4)}/{last + 1}"
    assert answer.headers["ETag"] == whole.headers["ETag"]


def test_what_is_no_range_of_the_file(api: Client) -> None:
    url = api.result(api.submit())["output"]["image"]
    whole = api.file(url)
    beyond = api.file(url, Range=f"bytes={len(whole.content)}-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.content)}")
    for headers in (
        {"Range": "bytes=0-1,4-5"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=0-9", "If-Range": '"old"'},
    ):
        assert api.file(url, **headers).content == whole.content
    assert api.file(url, **{"Range": "bytes=0-9", "If-Range": whole.headers["ETag"]}).status_code == 206


def test_head_tells_length_and_type_without_the_bytes(api: Client) -> None:
    url = api.result(api.submit())["output"]["image"]
    head = api.session.head(url, timeout=9)
    assert (head.content, head.headers["Accept-Ranges"]) == (b"", "bytes")
    assert int(head.headers["Content-Length"]) == len(api.file(url).content)


def test_ranges_can_be_turned_off(api: Client) -> None:
    api.emulator.ranges = False
    answer = api.file(api.result(api.submit())["output"]["image"], Range="bytes=0-9")
    assert answer.status_code == 200
    assert not {"Accept-Ranges", "Content-Range", "ETag"} & set(answer.headers)


@pytest.mark.parametrize(
    ("asked", "kind", "ending"), [("png", "PNG", "png"), ("jpeg", "JPEG", "jpg"), ("webp", "WEBP", "webp")]
)
def test_output_format_shows_in_name_type_and_bytes(api: Client, asked: str, kind: str, ending: str) -> None:
    url = api.result(api.submit(output_format=asked, resolution="0.5K"))["output"]["image"]
    answer = api.file(url)
    assert url.endswith(f".{ending}")
    assert answer.headers["Content-Type"] == f"image/{asked}"
    assert open_image(answer.content).format == kind


def test_sync_mode_gives_data_uris(api: Client) -> None:
    request_id = api.submit(EDIT, image_urls=[png_uri(8, 8)], sync_mode=True, num_images=2, output_format="jpeg")
    for uri in api.result(request_id)["output"]["images"]:
        start, _, data = uri.partition(",")
        assert start == "data:image/jpeg;base64"
        assert open_image(base64.b64decode(data, validate=True)).size == (1024, 1024)


# Images


@pytest.mark.parametrize("resolution", SIDES)
@pytest.mark.parametrize("ratio", RATIOS)
def test_image_size_has_the_ratio_the_area_and_multiples_of_16(ratio: str, resolution: str) -> None:
    width, height = image_size(ratio, resolution)
    across, down = map(int, ratio.split(":"))
    assert width % 16 == height % 16 == 0
    assert width / height == pytest.approx(across / down, rel=0.05)
    assert width * height == pytest.approx(SIDES[resolution] ** 2, rel=0.05)
    assert nearest_ratio(width, height) == ratio


def test_auto_is_square_for_text(api: Client) -> None:
    assert api.image(api.result(api.submit(aspect_ratio="auto"))["output"]["image"]).size == (1024, 1024)


@pytest.mark.parametrize(("size", "ratio"), [((1920, 1080), "16:9"), ((100, 148), "2:3"), ((3000, 1), "21:9")])
def test_auto_takes_the_ratio_of_the_first_reference_for_an_edit(
    api: Client, size: tuple[int, int], ratio: str
) -> None:
    request_id = api.submit(EDIT, image_urls=[png_uri(*size), png_uri(9, 9)])
    assert api.image(api.result(request_id)["output"]["image"]).size == image_size(ratio, "1K")


def test_a_4k_image_is_drawn(api: Client) -> None:
    url = api.result(api.submit(resolution="4K", aspect_ratio="16:9"))["output"]["image"]
    assert api.image(url).size == (5456, 3072)


def test_other_calls_are_answered_while_a_image_is_drawn(api: Client) -> None:
    request_id = api.submit(resolution="4K")
    url = api.result(request_id)["output"]["image"]
    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(requests.get, url, timeout=20)
        answered = 0
        while not drawing.done():
            api.status(request_id)
            answered += 1
        assert drawing.result().ok
    assert answered >= 3


def test_a_image_is_drawn_once_and_the_same_body_draws_the_same(api: Client) -> None:
    first, second = (api.result(api.submit(seed=1))["output"]["image"] for _ in range(2))
    other = api.result(api.submit(seed=2))["output"]["image"]
    assert api.file(first).content == api.file(first).content == api.file(second).content
    assert api.file(other).content != api.file(first).content


@pytest.mark.parametrize(
    "prompt", ["", "一只猫坐在窗边柔和的日光", "사무실", "😀 \ud800 \x00", "word " * 5000, "W" * 5000]
)
@pytest.mark.parametrize("size", [(1024, 1024), (64, 64), (16, 400)])
def test_any_prompt_is_drawn_on_any_size(prompt: str, size: tuple[int, int]) -> None:
    image = draw(TEXT, Asked(prompt=prompt), Plan(0, 1, "png", "png", size), lambda _url: None)
    assert (image.size, image.mode) == (size, "RGB")


def test_an_edit_shows_its_references_in_order(api: Client) -> None:
    own = api.result(api.submit(aspect_ratio="1:1", resolution="0.5K"))["output"]["image"]
    references = [
        png_uri(64, 64, "red"),
        own,
        png_uri(64, 64, "blue"),
        "https://a.example/1.png",
        "data:image/png;base64,AAAA",
        "https://[",
    ]
    body = {"prompt": "Both", "image_urls": references, "aspect_ratio": "21:9"}
    image = api.image(api.result(api.submit(EDIT, **body))["output"]["image"]).convert("RGB")
    margin = image.height // 40
    side = int(image.height * SHELF) - margin
    centres = [image.getpixel((margin + side // 2 + n * (side + margin), margin + side // 3)) for n in range(5)]
    assert (centres[0], centres[2]) == ((255, 0, 0), (0, 0, 255))
    assert centres[1] not in [(24, 26, 32), centres[3]]
    assert centres[3] == (24, 26, 32)


@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_up_to_20_references_fit(count: int) -> None:
    asked = Asked(prompt="All", references=(png_uri(30, 20),) * count)
    image = draw(EDIT, asked, Plan(0, 1, "png", "png"), lambda _url: None)
    assert image.size == image_size("3:2", "1K")


# Starting and stopping


def test_it_needs_a_start_and_starts_once() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="port"):
        _ = emulator.base_url
    emulator.stop()
    with emulator, pytest.raises(RuntimeError, match="running"):
        emulator.start()


def test_a_restart_keeps_the_port_and_the_jobs() -> None:
    emulator = Emulator(port=0)
    with emulator:
        client, url = Client(emulator), emulator.base_url
        request_id = client.submit()
        client.session.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/models", timeout=5)
    with emulator:
        client = Client(emulator)
        assert emulator.base_url == url
        assert client.status(request_id)["status"] == "completed"
        client.session.close()


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError):
            Emulator(port=taken.getsockname()[1]).start()


def test_stop_is_prompt_while_calls_hang(opened: Open) -> None:
    api = opened()
    api.emulator.fault(at="status", hang=60, times=None)
    with ThreadPoolExecutor(5) as pool:
        waiting = [
            pool.submit(requests.get, f"{api.emulator.base_url}/requests/x/status", timeout=30) for _ in range(5)
        ]
        while api.emulator.count("status") < 5:
            time.sleep(0.01)
        before = time.perf_counter()
        api.emulator.stop()
        assert time.perf_counter() - before < 1.5
        assert all(isinstance(call.exception(), requests.ConnectionError) for call in waiting)


def test_the_command_serves_until_interrupted() -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "emulator",
        "--port",
        "0",
        "--run-seconds",
        "0",
        "--queue-seconds",
        "0",
    ]
    with subprocess.Popen(
        [*command, "--answers", "tolerated", "--validation", "lenient", "--fault", "submit:503"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"export RUNCOMFY_MODEL_API_BASE=(\S+) RUNCOMFY_API_TOKEN=(\S+)\n", line)
        assert found, line
        statuses = [
            requests.post(
                f"{found[1]}/models/{TEXT}", json={}, headers={"Authorization": f"Bearer {found[2]}"}, timeout=9
            ).status_code
            for _ in range(2)
        ]
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        assert (statuses, process.stderr.read()) == ([503, 202], "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "submit:nonsense"],
        ["--port", "99999"],
        ["--port", "-1"],
        ["--queue-seconds", "-1"],
        ["--run-seconds", "nan"],
        ["--run-seconds", "soon"],
    ],
)
def test_the_command_explains_a_flag_it_cannot_read(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {arguments[0]}: " in last and arguments[1] in last


def test_the_commands_help_explains_every_flag(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    flags = re.split(r"\n  (?=-)", capsys.readouterr().out)[1:]
    assert len(flags) >= 7
    assert [flag for flag in flags if not re.fullmatch(r"-\S.*?\s{2,}\w.*", flag, re.DOTALL)] == []


def test_the_command_explains_a_port_that_is_taken(api: Client) -> None:
    port = api.emulator.origin.rpartition(":")[2]
    command = [sys.executable, "-m", "emulator", "--port", port]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert answer.returncode == 1
    assert port in answer.stderr and "Traceback" not in answer.stderr


def test_it_imports_nothing_of_the_pack() -> None:
    code = "import emulator, sys; sys.exit(any(name.split('.')[0] == 'nodes' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=20).returncode == 0
