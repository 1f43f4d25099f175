"""The record of paid jobs over HTTP: looked through, collected, cancelled, forgotten, and its files served."""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hurry import service
from page.standin import Standin
from PIL import Image
from support import PRO_EDIT, TEXT_TO_IMAGE, Runner, image

from emulator import Emulator, Fault
from emulator.moving import make_video
from nodes.core.errors import JobFailed, PackError
from nodes.core.store.journal import FILE_NAME

FILES = ("thumbnail", "file")


@pytest.fixture
def host(runner: Runner, tmp_path: Path) -> Iterator[Standin]:
    """A server with the pack's routes, beside a runner with the same record and token."""
    assert runner.state
    with Standin(tmp_path / "user") as started:
        yield started


def ask(host: Standin, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, f"{host.url}/runcomfy/{path}", timeout=20, **more)


def jobs(host: Standin, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(host, "GET", f"jobs?{query}").json()["jobs"]
    return found


def settled(host: Standin, job_id: int) -> dict[str, Any]:
    """Return a job as soon as nobody collects it in the background."""
    return until(lambda: ask(host, "GET", f"job?id={job_id}").json(), lambda job: not job["collecting"])


def until(look: Callable[[], dict[str, Any]], enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    ends = time.monotonic() + 20
    while not enough(found := look()):
        assert time.monotonic() < ends, found
        time.sleep(0.02)
    return found


def left_running(runner: Runner, prompt: str = "an unfinished fox") -> None:
    """Leave an accepted job behind, as a process that ends does."""
    runner.api.hold = True
    runner.host.stop_at = None
    journal = service().journal
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(service().client, "status", _die)
        with pytest.raises(RuntimeError):
            runner.text_to_image(prompt)
    runner.restart()
    assert journal


def _die(*_: object) -> None:
    raise RuntimeError("the process ends")


def test_a_job_is_listed_with_all_that_is_known_of_it(runner: Runner, host: Standin) -> None:
    assert ask(host, "GET", "jobs").json() == {"jobs": [], "more": False, "needs": 0, "models": []}
    _, urls, request_id = runner.text_to_image("a red fox " * 40, num_images=2, seed=9, output_format="jpeg")
    answer = ask(host, "GET", "jobs").json()
    (job,) = answer["jobs"]
    assert (answer["more"], answer["needs"]) == (False, 0)
    assert answer["models"] == [{"model_id": TEXT_TO_IMAGE.model_id, "model": TEXT_TO_IMAGE.display_name}]
    assert job["prompt"] == ("a red fox " * 40)[:300]
    assert (job["request_id"], job["hosted"]) == (request_id, urls.splitlines())
    assert (job["model"], job["node_id"], job["kind"]) == (
        TEXT_TO_IMAGE.display_name,
        TEXT_TO_IMAGE.node_id,
        "image",
    )
    assert (job["seed"], job["size"], job["count"], job["state"]) == (9, "1K", 2, "delivered")
    assert job["files"] == [{"index": index, "kept": True, "type": "image/jpeg"} for index in (0, 1)]
    assert (job["needs"], job["live"], job["collecting"], job["failure"]) == ("", False, False, None)
    detail = ask(host, "GET", f"job?id={job['id']}").json()
    assert detail["inputs"]["prompt"] == "a red fox " * 40 and detail["inputs"]["num_images"] == 2
    assert detail["media"] == []


def test_the_record_is_looked_through_without_a_token(
    runner: Runner, host: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.text_to_image()
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "another")
    assert len(jobs(host)) == 1, "jobs of every token are listed"
    monkeypatch.delenv("RUNCOMFY_API_TOKEN")
    (job,) = jobs(host)
    for path in ("jobs/spend", "jobs/export", f"jobs/file?id={job['id']}", f"jobs/thumbnail?id={job['id']}"):
        assert ask(host, "GET", path).status_code == 200, path
    for path in ("collect", "cancel"):
        assert ask(host, "POST", f"jobs/{path}", json={"id": job["id"]}).json()["kind"] == "token_missing"
    assert ask(host, "POST", "jobs/forget", json={"id": job["id"]}).json() == {}


def test_pages_search_and_filters(runner: Runner, host: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        runner.text_to_image(f"fox number {number}", seed=number)
    runner.pro_edit("a Blue hare", image_1=image())
    first = ask(host, "GET", "jobs?limit=3").json()
    assert [job["prompt"] for job in first["jobs"]] == ["a Blue hare", "fox number 2", "fox number 1"]
    assert first["more"]
    rest = ask(host, "GET", f"jobs?limit=3&before={first['jobs'][-1]['id']}").json()
    assert ([job["prompt"] for job in rest["jobs"]], rest["more"]) == (["fox number 0"], False)
    assert [job["prompt"] for job in jobs(host, "search=BLUE+hare")] == ["a Blue hare"]
    monkeypatch.setattr(host.pack.nodes.app.record, "SEARCHED_AT_ONCE", 1)
    found = ask(host, "GET", "jobs?search=fox&limit=2").json()
    assert ([job["seed"] for job in found["jobs"]], found["more"]) == ([2, 1], True)
    assert [job["seed"] for job in jobs(host, f"search=fox&before={found['jobs'][-1]['id']}")] == [0]
    assert len(jobs(host, f"model={TEXT_TO_IMAGE.model_id}")) == 3
    assert len(jobs(host, "state=delivered")) == 4 and jobs(host, "state=failed") == []
    today = time.strftime("%Y-%m-%d")
    assert len(jobs(host, f"day={today}")) == 4 and jobs(host, "day=1999-12-31") == []


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=-5", "before=x", "before=", "day=yesterday", "day=9999-12-31x", "state=nothing", "needs=2"],
)
def test_what_makes_no_sense_is_left_out(runner: Runner, host: Standin, query: str) -> None:
    runner.text_to_image()
    assert len(jobs(host, query)) == 1


@pytest.mark.parametrize("query", ["", "id=", "id=x", "id=99", "id=-1", "id=9999999999999999999999", "id=1e3"])
def test_an_unknown_job_is_told(host: Standin, query: str) -> None:
    for path in ("job", "jobs/thumbnail", "jobs/file"):
        answer = ask(host, "GET", f"{path}?{query}")
        assert (answer.status_code, answer.json()["kind"]) == (400, "no_such_job"), path


@pytest.mark.parametrize(
    "body", [{}, {"id": None}, {"id": True}, {"id": 99}, {"id": 10**30}, {"id": [1]}, {"id": 1.5}]
)
def test_nothing_is_done_with_an_unknown_job(host: Standin, body: dict[str, object]) -> None:
    for path in ("collect", "cancel", "forget"):
        answer = ask(host, "POST", f"jobs/{path}", json=body)
        assert (answer.status_code, answer.json()["kind"]) == (400, "no_such_job"), path


def test_a_job_is_collected_in_the_background_once_and_nothing_is_paid(
    runner: Runner, host: Standin, api: Emulator
) -> None:
    left_running(runner)
    (job,) = jobs(host, "needs=1")
    assert (job["state"], job["needs"], job["live"]) == ("submitted", "collect", False)
    told = [ask(host, "POST", "jobs/collect", json={"id": job["id"]}).json() for _ in range(5)]
    assert {one["collecting"] for one in told} == {True}
    until(lambda: jobs(host)[0], lambda job: job["live"])
    assert ask(host, "GET", "jobs").json()["needs"] == 0, "somebody waits for it now"
    api.hold = False
    found = settled(host, job["id"])
    assert (found["state"], found["failure"], found["files"][0]["kept"]) == ("delivered", None, True)
    assert (api.count("submit"), api.count("file")) == (1, 1)
    runner.text_to_image("an unfinished fox")
    assert (api.count("submit"), api.count("file")) == (1, 1), "the node takes the kept copy"


def test_files_that_are_not_kept_any_more_are_collected_again(runner: Runner, host: Standin, api: Emulator) -> None:
    runner.text_to_image()
    (job,) = jobs(host)
    service().jobs.file_cache.remove(runner.jobs()[0].name)
    (gone,) = jobs(host)
    assert gone["files"] == [{"index": 0, "kept": False, "type": ""}]
    for path in FILES:
        assert ask(host, "GET", f"jobs/{path}?id={job['id']}&index=0").status_code == 404
    ask(host, "POST", "jobs/collect", json={"id": job["id"]})
    assert settled(host, job["id"])["files"] == job["files"]
    assert api.count("submit") == 1


def test_why_a_job_cannot_be_collected_is_told(runner: Runner, host: Standin, api: Emulator) -> None:
    left_running(runner)
    api.hold = False
    api.fault(Fault("job", fails="blocked"))
    api.fault(Fault("status", status=401, times=None))
    (job,) = jobs(host)
    ask(host, "POST", "jobs/collect", json={"id": job["id"]})
    found = settled(host, job["id"])
    assert (found["state"], found["failure"]["kind"]) == ("submitted", "token_refused")
    api.clear_faults()
    ask(host, "POST", "jobs/collect", json={"id": job["id"]})
    assert settled(host, job["id"])["failure"] is None


def test_without_room_for_files_nothing_is_collected(
    runner: Runner, host: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_running(runner)
    monkeypatch.setenv("RUNCOMFY_KEEP_MB", "0")
    (job,) = jobs(host)
    answer = ask(host, "POST", "jobs/collect", json={"id": job["id"]})
    assert (answer.status_code, answer.json()["kind"]) == (400, "nothing_is_kept")


def test_a_queued_job_is_cancelled_and_one_that_is_waited_for_is_not(
    runner: Runner, host: Standin, api: Emulator
) -> None:
    left_running(runner)
    (job,) = jobs(host)
    ask(host, "POST", "jobs/collect", json={"id": job["id"]})
    until(lambda: jobs(host)[0], lambda job: job["live"])
    told = ask(host, "POST", "jobs/cancel", json={"id": job["id"]}).json()
    assert (told["told"]["kind"], told["state"], api.count("cancel")) == ("cancel.awaited", "submitted", 0)
    forgotten = ask(host, "POST", "jobs/forget", json={"id": job["id"]})
    assert (forgotten.status_code, forgotten.json()["kind"]) == (400, "job_is_live")
    host.pack.nodes.app.service.close_services()
    told = ask(host, "POST", "jobs/cancel", json={"id": job["id"]}).json()
    assert (told["told"]["kind"], told["state"], told["charge"]) == ("cancel.cancelled", "cancelled", "none")
    told = ask(host, "POST", "jobs/cancel", json={"id": job["id"]}).json()
    assert (told["told"]["kind"], api.count("cancel")) == ("cancel.ended", 1)


def test_a_forgotten_job_is_gone_with_its_files(runner: Runner, host: Standin) -> None:
    runner.text_to_image("a recognizable zebra")
    (job,) = jobs(host)
    spent = ask(host, "GET", "jobs/spend").json()["today"]
    assert spent > 0
    assert ask(host, "POST", "jobs/forget", json={"id": job["id"]}).json() == {}
    assert jobs(host) == [] and list((runner.state / "kept").iterdir()) == []
    assert ask(host, "GET", "jobs/spend").json()["today"] == spent


def test_inputs_are_forgotten_together(runner: Runner, host: Standin) -> None:
    runner.text_to_image("a recognizable zebra")
    assert ask(host, "POST", "jobs/forget_inputs", json={}).json() == {}
    (job,) = jobs(host)
    assert (job["prompt"], job["seed"]) == ("", None)
    assert ask(host, "GET", f"job?id={job['id']}").json()["inputs"] == {}
    assert b"recognizable" not in b"".join(file.read_bytes() for file in runner.state.glob(f"{FILE_NAME}*"))


def test_a_charged_failure_needs_a_permission(runner: Runner, host: Standin, api: Emulator) -> None:
    api.fault(Fault("job", fails="blocked", fails_in="result"))
    api.fault(Fault("result", edit=lambda answer: {**answer, "cost": 0.1}))
    with pytest.raises(JobFailed):
        runner.text_to_image()
    (job,) = jobs(host, "needs=1")
    assert (job["needs"], job["charge"], job["retry_allowed"]) == ("permission", "charged", False)
    assert job["outcome"]["kind"] == "failure.job_failed"
    ask(host, "POST", "jobs/retry", json={"request_id": job["request_id"]})
    assert jobs(host, "needs=1") == [] and jobs(host)[0]["retry_allowed"]


def test_originals_are_served_as_they_came(runner: Runner, host: Standin) -> None:
    _, urls, request_id = runner.text_to_image(output_format="webp")
    (job,) = jobs(host)
    answer = ask(host, "GET", f"jobs/file?id={job['id']}&index=0")
    assert answer.content == requests.get(urls, timeout=20).content
    headers = answer.headers
    assert headers["Content-Type"] == "image/webp"
    model = TEXT_TO_IMAGE.model_id.replace("/", "-")
    assert headers["Content-Disposition"] == f'inline; filename="{model}-{request_id}-1.webp"'
    assert (headers["X-Content-Type-Options"], headers["Cross-Origin-Resource-Policy"]) == (
        "nosniff",
        "same-origin",
    )
    assert "sandbox" in headers["Content-Security-Policy"]
    part = ask(host, "GET", f"jobs/file?id={job['id']}&index=0", headers={"Range": "bytes=8-11"})
    assert (part.status_code, part.content) == (206, b"WEBP")
    for index in ("1", "99", "-1", "x"):
        expected = 200 if index in ("-1", "x") else 404
        assert ask(host, "GET", f"jobs/file?id={job['id']}&index={index}").status_code == expected


@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'>"]
)
def test_what_is_no_image_is_never_shown(runner: Runner, host: Standin, content: bytes) -> None:
    runner.text_to_image()
    (job,) = jobs(host)
    service().jobs.file_cache.get(runner.jobs()[0].name)[0].write_bytes(content)
    answer = ask(host, "GET", f"jobs/file?id={job['id']}&index=0")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(host, "GET", f"jobs/thumbnail?id={job['id']}&index=0").status_code == 404


@pytest.mark.parametrize("make", ["png", "jpeg", "webp"])
def test_thumbnails_are_small_and_asked_for_once(runner: Runner, host: Standin, make: str) -> None:
    runner.text_to_image(output_format=make, aspect_ratio="16:9", resolution="2K")
    (job,) = jobs(host)
    path = f"jobs/thumbnail?id={job['id']}&index=0&edge=200"
    answer = ask(host, "GET", path)
    assert (answer.headers["Content-Type"], answer.headers["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    with Image.open(io.BytesIO(answer.content)) as small:
        assert max(small.size) == 256 and small.width > small.height
    again = ask(host, "GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    larger = ask(host, "GET", path.replace("200", "500"), headers={"If-None-Match": answer.headers["ETag"]})
    assert larger.status_code == 200


def test_a_video_is_shown_by_a_still_of_it(runner: Runner, host: Standin) -> None:
    runner.text_to_image()
    (job,) = jobs(host)
    scene = Image.new("RGB", (320, 180), "orange")
    kept = service().jobs.file_cache.get(runner.jobs()[0].name)[0]
    kept.write_bytes(make_video(scene, 1.0, ending="mp4", sound=False, key="a"))
    answer = ask(host, "GET", f"jobs/thumbnail?id={job['id']}&index=0&edge=128")
    assert answer.headers["Content-Type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as still:
        assert still.size == (128, 72)
    kept.write_bytes(kept.read_bytes()[:200])
    assert ask(host, "GET", f"jobs/thumbnail?id={job['id']}&index=0").status_code == 400


def test_an_image_that_makes_too_much_work_is_no_thumbnail(runner: Runner, host: Standin) -> None:
    runner.text_to_image()
    (job,) = jobs(host)
    kept = service().jobs.file_cache.get(runner.jobs()[0].name)[0]
    whole = kept.read_bytes()
    kept.write_bytes(whole[:16] + (2**15).to_bytes(4, "big") * 2 + whole[24:])
    answer = ask(host, "GET", f"jobs/thumbnail?id={job['id']}&index=0")
    assert (answer.status_code, answer.json()["kind"]) == (400, "file_not_an_image")
    kept.write_bytes(whole[: len(whole) // 2])
    assert ask(host, "GET", f"jobs/thumbnail?id={job['id']}&index=0").json()["kind"] == "file_undecodable"


def test_spending_has_a_sum_for_each_day_and_model(runner: Runner, host: Standin) -> None:
    runner.text_to_image(num_images=2)
    runner.pro_edit(image_1=image())
    told = ask(host, "GET", "jobs/spend").json()
    costs = [job["cost"] for job in jobs(host)]
    assert told["today"] == pytest.approx(sum(costs)) and told["month"] == pytest.approx(sum(costs))
    assert len(told["days"]) == 31 and told["days"][-1]["day"] == time.strftime("%Y-%m-%d")
    assert told["days"][-1]["jobs"] == 2 and {day["usd"] for day in told["days"][:-1]} == {0.0}
    assert {one["model_id"]: one["usd"] for one in told["models"]} == {
        PRO_EDIT.model_id: pytest.approx(costs[0]),
        TEXT_TO_IMAGE.model_id: pytest.approx(costs[1]),
    }


def test_spending_has_a_share_for_each_project_where_jobs_differ_in_it(
    runner: Runner, host: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.text_to_image()
    assert ask(host, "GET", "jobs/spend").json()["shares"] == {}
    monkeypatch.setenv("RUNCOMFY_PROJECT", "spot")
    runner.text_to_image(num_images=2)
    shares = ask(host, "GET", "jobs/spend").json()["shares"]
    two, one = [job["cost"] for job in jobs(host)]
    assert shares == {
        "project": [{"name": "", "usd": one, "jobs": 1}, {"name": "spot", "usd": two, "jobs": 1}],
    }


def test_the_table_holds_every_job_and_no_formula(runner: Runner, host: Standin) -> None:
    runner.text_to_image('=HYPERLINK("https://evil.example")')
    runner.text_to_image("two\nlines, and a comma", seed=1)
    answer = ask(host, "GET", "jobs/export")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="runcomfy-jobs.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["prompt"] for row in rows] == ["two\nlines, and a comma", '\'=HYPERLINK("https://evil.example")']
    assert rows[0]["request_id"] == jobs(host)[0]["request_id"] and rows[0]["charge"] == "charged"
    assert rows[0]["created_at"].startswith(time.strftime("%Y-%m-%dT"))


def test_an_estimate_is_learnt_from_costs_before_prices(runner: Runner, host: Standin, api: Emulator) -> None:
    api.prices[TEXT_TO_IMAGE.model_id] = 0.05

    def estimate(**values: object) -> dict[str, Any]:
        node = {"node": "7", "node_id": TEXT_TO_IMAGE.node_id, "values": values}
        (told,) = ask(host, "POST", "estimate", json={"nodes": [node]}).json()["nodes"]
        assert (told.pop("node"), told.pop("node_id")) == ("7", TEXT_TO_IMAGE.node_id)
        return dict(told)

    assert estimate(num_images=3) == {"usd": pytest.approx(0.15), "source": "price", "count": 3}
    runner.text_to_image(num_images=2)
    cost = jobs(host)[0]["cost"]
    assert estimate(num_images=2) == {"usd": cost, "source": "cost", "count": 2}
    assert estimate(num_images=4) == {"usd": pytest.approx(2 * cost), "source": "cost", "count": 4}
    assert estimate(num_images=2, resolution="4K")["source"] == "price"
    assert estimate(num_images=["3", 0]) == {"usd": None, "source": "none", "count": None}


def test_without_price_and_cost_nothing_is_estimated(
    host: Standin, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNCOMFY_API_TOKEN")
    asked = [{"node": 1, "node_id": TEXT_TO_IMAGE.node_id}, {"node": 2, "node_id": "KSampler"}, 7]
    told = ask(host, "POST", "estimate", json={"nodes": asked}).json()["nodes"]
    assert told == [{"node": 1, "node_id": TEXT_TO_IMAGE.node_id, "usd": None, "source": "none", "count": 1}]
    assert ask(host, "POST", "estimate", json={"nodes": "x"}).json() == {"nodes": []}
    assert api.count("submit") == 0


def test_takes_of_a_node_and_of_a_job(runner: Runner, host: Standin) -> None:
    for seed in (1, 2):
        runner.text_to_image("a fox", seed=seed)
    runner.text_to_image("a hare", seed=3)
    asked = {"node_id": TEXT_TO_IMAGE.node_id, "values": {"prompt": "a fox", "seed": 77}}
    assert [take["seed"] for take in ask(host, "POST", "takes", json=asked).json()["takes"]] == [2, 1]
    pixels = image()
    for seed in (5, 6):
        runner.pro_edit(image_1=pixels, rerun_seed=seed)
    runner.pro_edit(image_1=image(seed=4), rerun_seed=7)
    by_job = ask(host, "POST", "takes", json={"job": jobs(host)[1]["id"]}).json()["takes"]
    assert [take["seed"] for take in by_job] == [6, 5]
    refused = ask(host, "POST", "takes", json={"node_id": TEXT_TO_IMAGE.node_id, "values": {"prompt": ["1", 0]}})
    assert (refused.status_code, refused.json()["kind"]) == (400, "not_text")
    assert ask(host, "POST", "takes", json={}).json()["kind"] == "no_such_node"
    assert ask(host, "POST", "takes", json={"job": 999}).json()["kind"] == "no_such_job"


def test_settings_are_followed_from_the_next_run_on(
    runner: Runner, host: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(host, "GET", "settings").json()["keep_inputs"] == {"value": True, "source": "default"}
    told = ask(host, "PUT", "settings", json={"keep_inputs": False, "daily_budget_usd": 0.15}).json()
    assert told["daily_budget_usd"] == {"value": 0.15, "source": "page"}
    runner.text_to_image("a recognizable zebra")
    assert jobs(host)[0]["prompt"] == ""
    with pytest.raises(PackError, match="budget of"):
        runner.text_to_image(seed=1)
    ask(host, "PUT", "settings", json={"daily_budget_usd": None})
    runner.text_to_image(seed=1)
    monkeypatch.setenv("RUNCOMFY_KEEP_INPUTS", "1")
    refused = ask(host, "PUT", "settings", json={"keep_inputs": False})
    assert (refused.status_code, refused.json()["kind"]) == (400, "set_by_variable")
    assert ask(host, "GET", "settings").json()["keep_inputs"] == {"value": True, "source": "environment"}


def test_to_look_changes_nothing(runner: Runner, host: Standin) -> None:
    runner.text_to_image()
    left_running(runner)
    (job, _) = jobs(host)

    def state() -> tuple[object, ...]:
        with sqlite3.connect(runner.state / FILE_NAME) as db:
            rows = [
                tuple(db.execute(f"SELECT * FROM {name}")) for name in ("jobs", "inputs", "waiters", "forgotten")
            ]
        db.close()
        return (*rows, sorted(str(path) for path in (runner.state / "kept").rglob("*")))

    before = state()
    for path in (
        "jobs?needs=1",
        f"job?id={job['id']}",
        "jobs/spend",
        "jobs/export",
        "settings",
        f"jobs/thumbnail?id={job['id'] - 1}&index=0",
        f"jobs/file?id={job['id'] - 1}&index=0",
    ):
        assert ask(host, "GET", path).status_code == 200, path
        assert ask(host, "GET", path.replace("jobs/", "jobs/collect/")).status_code in (200, 404)
    for path in ("jobs/collect", "jobs/cancel", "jobs/forget", "jobs/forget_inputs", "estimate", "takes"):
        assert ask(host, "GET", path).status_code == 405, path
    assert state() == before


def test_what_a_killed_server_left_running_is_told_on_its_node(
    runner: Runner, host: Standin, api: Emulator
) -> None:
    left_running(runner)
    (job,) = jobs(host)
    comfyui = host.pack.nodes.comfyui
    place = comfyui.node_status.NodeLocation("12:5", TEXT_TO_IMAGE.node_id, "prompt", "workflow")
    progress = comfyui.runtime.Progress(comfyui.runtime.Stage.RUNNING, request_id=job["request_id"])
    live = comfyui.node_status.NodeStatusStore()
    comfyui.runtime.ComfyRunHost(live, place, runner.state).report(progress)
    host.pack.nodes.core.threads.finish()
    (state,) = ask(host, "POST", "progress", json={}).json()["nodes"]
    assert (state["node"], state["workflow"], state["type"]) == ("12:5", "workflow", TEXT_TO_IMAGE.node_id)
    assert (state["request_id"], state["live"], state["stage"]) == (job["request_id"], False, "running")
    api.hold = False
    ask(host, "POST", "jobs/collect", json={"id": job["id"]})
    settled(host, job["id"])
    assert ask(host, "POST", "progress", json={}).json()["nodes"] == []


def test_of_a_list_that_a_killed_server_left_running_every_job_is_told(runner: Runner, host: Standin) -> None:
    for prompt in ("a fox", "a crow", "a hare"):
        left_running(runner, prompt)
    crow, hare = (job["request_id"] for job in reversed(jobs(host)[:2]))
    comfyui = host.pack.nodes.comfyui
    place = comfyui.node_status.NodeLocation("12:5", TEXT_TO_IMAGE.node_id, "prompt", "workflow")
    former = comfyui.node_status.NodeLocation("12:5", TEXT_TO_IMAGE.node_id, "former", "workflow")
    at = {each.prompt: comfyui.runtime.ComfyRunHost(comfyui.node_status.NodeStatusStore(), each, runner.state)
          for each in (place, former)}  # fmt: skip

    def reports(prompt: str, *ids: str) -> None:
        items = comfyui.page.nodes.Items(4, 20, ids)
        at[prompt].report(comfyui.runtime.Progress(comfyui.runtime.Stage.RUNNING, items=items))
        host.pack.nodes.core.threads.finish()

    reports("former", jobs(host)[2]["request_id"])
    reports("prompt", crow)
    reports("prompt", crow, hare)
    (state,) = ask(host, "POST", "progress", json={}).json()["nodes"]
    assert (state["node"], state["live"], state["request_id"]) == ("12:5", False, None)
    assert state["items"] == {"done": 18, "total": 20, "jobs": [crow, hare]}


def test_a_state_that_was_heard_stands_before_one_of_before(runner: Runner, host: Standin) -> None:
    left_running(runner)
    (job,) = jobs(host)
    comfyui = host.pack.nodes.comfyui
    place = comfyui.node_status.NodeLocation("5", TEXT_TO_IMAGE.node_id, "prompt", "workflow")
    progress = comfyui.runtime.Progress(comfyui.runtime.Stage.RUNNING, request_id=job["request_id"])
    comfyui.runtime.ComfyRunHost(comfyui.HOST.live, place, runner.state).report(progress)
    host.pack.nodes.core.threads.finish()
    (state,) = ask(host, "POST", "progress", json={}).json()["nodes"]
    assert state["prompt"] == "prompt"
