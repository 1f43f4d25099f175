"""The routes for the page, over HTTP: what they answer, and what they refuse."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from page.standin import Standin
from support import TEXT_TO_IMAGE, Runner

from emulator import Emulator, Fault
from nodes.comfyui import NODE_CLASS_MAPPINGS, routes, runtime
from nodes.comfyui.node_status import MAX_PAGES, MAX_STATES, NodeLocation, NodeStatusStore, UpdateMode
from nodes.comfyui.routes import HELP_PATHS, PACK_FOLDER, ROUTES, register
from nodes.core import threads
from nodes.core.docs.help_page import help_page
from nodes.core.errors import JobFailed
from nodes.core.jobs.progress import MOST_EXPECTED, Progress, Stage, expected_fraction
from nodes.core.schema.model import NodeSpec

TOKEN = "a-token-of-the-emulator-1234"


@pytest.fixture
def host(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A server with the pack's routes; the emulator's token is TOKEN, and there is none here yet."""
    runner.api.token = TOKEN
    monkeypatch.delenv("RUNCOMFY_API_TOKEN")
    with Standin(tmp_path / "user") as started:
        yield started


def ask(host: Standin, method: str, path: str, **more: object) -> requests.Response:
    return requests.request(method, f"{host.url}/runcomfy/{path}", timeout=20, **more)  # type: ignore[arg-type]


def test_account_is_missing_then_stored_then_forgotten(host: Standin) -> None:
    assert ask(host, "GET", "account").json()["state"] == "missing"
    told = ask(host, "PUT", "token", json={"token": f" Bearer {TOKEN}\n"}).json()
    assert told == {
        "state": "ready",
        "kind": "stored",
        "source": "Settings > RunComfy",
        "masked": "\u2022\u2022\u2022\u20221234",
    }
    assert ask(host, "DELETE", "token").json()["state"] == "missing"


def test_environment_is_named_as_the_source(host: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNCOMFY_TOKEN", TOKEN)
    told = ask(host, "GET", "account").json()
    assert (told["kind"], told["source"]) == ("environment", "RUNCOMFY_TOKEN")


def test_no_answer_and_no_message_holds_the_token(host: Standin, capfd: pytest.CaptureFixture[str]) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    answers = [
        ask(host, method, path, json={}) for method, path, _ in paths() if (method, path) != ("PUT", "token")
    ]
    assert all(TOKEN not in answer.text for answer in answers)
    assert all(TOKEN not in str(dict(answer.headers)) for answer in answers)
    assert TOKEN not in str(host.sent) and TOKEN not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path.removeprefix("/")) for method, path, _ in ROUTES if method != "GET"],
)
def test_writing_routes_refuse_other_origins(
    host: Standin, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = ask(host, method, path, json={"token": "another"}, headers=headers)
    assert (answer.status_code, answer.json()["kind"]) == (403, "other_origin")
    assert ask(host, "GET", "account").json()["state"] == "missing"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}])
def test_own_page_and_programs_may_write(host: Standin, headers: dict[str, str]) -> None:
    own = headers or {"Origin": host.url}
    assert ask(host, "PUT", "token", json={"token": TOKEN}, headers=own).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"token": "x"}', "text/plain", 415),
        (b"token=x", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"token":' * 7_000, "application/json", 400),
        (b'{"token": %s}' % (b"9" * 60_000), "application/json", 400),
        (b'{"token": "%s"}' % (b"x" * 70_000), "application/json", 413),
        (b'{"token": ""}', "application/json", 400),
        (b'{"token": 7}', "application/json", 400),
        (b"{}", "application/json", 400),
    ],
)
def test_only_a_small_json_object_with_a_token_is_stored(
    host: Standin, body: bytes, kind: str, status: int
) -> None:
    answer = ask(host, "PUT", "token", data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json().keys() >= {"kind", "params", "charge", "next"}
    assert ask(host, "GET", "account").json()["state"] == "missing"


def test_connection_test_tells_everything_and_generates_nothing(
    host: Standin, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", "5")
    ask(host, "PUT", "token", json={"token": TOKEN})
    told = ask(host, "POST", "test", json={}).json()
    assert (told["reachable"]["ok"], told["token"]["ok"]) == (True, True)
    assert (told["balance_usd"], told["spent_today_usd"], told["budget_usd"]) == (25.0, 0.0, 5.0)
    assert api.count("submit") == 0


def test_connection_test_names_a_refused_token(host: Standin) -> None:
    ask(host, "PUT", "token", json={"token": "another"})
    told = ask(host, "POST", "test", json={}).json()
    assert (told["reachable"]["ok"], told["token"]["ok"]) == (True, False)
    assert told["token"]["failure"]["kind"] == "token_refused"
    assert told["balance_usd"] is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 503}, "api_failed"),
        ({"reset": True}, "connection_broke"),
        ({"html": True}, "answer_unreadable"),
    ],
)
def test_connection_test_names_what_went_wrong(
    host: Standin, api: Emulator, fault: dict[str, object], kind: str
) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    api.fault(Fault("status", times=None, **fault))  # type: ignore[arg-type]
    told = ask(host, "POST", "test", json={}).json()
    assert (told["reachable"]["ok"], told["reachable"]["failure"]["kind"], told["token"]["ok"]) == (
        False,
        kind,
        None,
    )


def test_connection_test_names_a_proxy_and_a_missing_server(
    host: Standin, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    api.stop()
    assert ask(host, "POST", "test", json={}).json()["reachable"]["failure"]["kind"] == "server_unreachable"
    monkeypatch.setenv("RUNCOMFY_MODEL_API_BASE", "https://model-api.example.com/v1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert ask(host, "POST", "test", json={}).json()["reachable"]["failure"]["kind"] == "proxy_unreachable"


def test_balance_that_cannot_be_read_is_not_known(host: Standin, api: Emulator) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    api.fault(Fault("balance", status=500, times=None))
    told = ask(host, "POST", "test", json={}).json()
    assert (told["token"]["ok"], told["balance_usd"]) == (True, None)


def test_prices_are_live_and_absent_without_a_token(host: Standin, api: Emulator) -> None:
    asked = f"prices?nodes={TEXT_TO_IMAGE.node_id},KSampler"
    without = {"usd": None, "unit": None, "count": "num_images", "duration": None}
    assert ask(host, "GET", asked).json()["prices"] == {TEXT_TO_IMAGE.node_id: without}
    assert ask(host, "GET", "prices").json()["prices"] == {}
    api.prices[TEXT_TO_IMAGE.model_id] = 0.07
    ask(host, "PUT", "token", json={"token": TOKEN})
    found = {**without, "usd": 0.07, "unit": "output"}
    assert ask(host, "GET", asked).json()["prices"] == {TEXT_TO_IMAGE.node_id: found}


def test_a_job_that_was_charged_in_vain_is_paid_for_again_once_it_is_allowed(runner: Runner, host: Standin) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    runner.api.fault(Fault("job", fails="blocked", fails_in="result"))
    runner.api.fault(Fault("result", edit=lambda answer: {**answer, "cost": 0.1}))
    for _ in range(2):
        with pytest.raises(JobFailed, match="POST /runcomfy/jobs/retry"):
            runner.text_to_image()
    assert runner.api.count("submit") == 1
    request_id = runner.api.jobs[0].request_id
    told = ask(host, "POST", "jobs/retry", json={"request_id": request_id})
    assert told.json() == {
        "request_id": request_id,
        "note": {"kind": "note.retry_allowed", "params": {"request_id": request_id}},
    }
    runner.text_to_image()
    assert runner.api.count("submit") == 2


@pytest.mark.parametrize("body", [{}, {"request_id": None}, {"request_id": "nobody"}, {"request_id": ["x"]}])
def test_nothing_else_is_allowed(host: Standin, body: dict[str, object]) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    answer = ask(host, "POST", "jobs/retry", json=body)
    assert (answer.status_code, answer.json()["kind"]) == (400, "not_recorded")


def test_a_job_without_a_charge_needs_no_permission(runner: Runner, host: Standin) -> None:
    ask(host, "PUT", "token", json={"token": TOKEN})
    _, _, request_id = runner.text_to_image()
    answer = ask(host, "POST", "jobs/retry", json={"request_id": request_id})
    assert (answer.status_code, answer.json()["kind"]) == (400, "no_permission_needed")


def test_without_a_token_the_failure_says_so(host: Standin) -> None:
    assert ask(host, "POST", "test", json={}).json()["kind"] == "token_missing"


def test_routes_answer_beneath_api_too_and_are_never_stored_by_a_cache(host: Standin) -> None:
    answer = requests.get(f"{host.url}/api/runcomfy/account", timeout=20)
    assert answer.json()["state"] == "missing"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("node", ["RunComfyNanoBananaProEdit", "RunComfyCollect"])
def test_help_is_made_at_the_address_of_a_file(host: Standin, node: str) -> None:
    docs = f"{host.url}/extensions/{PACK_FOLDER}/docs"
    japanese, english, fallback = (
        requests.get(f"{docs}/{path}.md", timeout=20) for path in (f"{node}/ja", f"{node}/en", node)
    )
    assert japanese.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert japanese.text == help_page(spec_of(node), "ja") != english.text
    assert fallback.text == english.text == help_page(spec_of(node), "en")
    for path in (f"{node}/de", f"{node}/..%2Fen", "KSampler/en", "KSampler"):
        assert requests.get(f"{docs}/{path}.md", timeout=20).status_code == 404, path


def spec_of(node: str) -> NodeSpec:
    spec: NodeSpec = NODE_CLASS_MAPPINGS[node].SPEC
    return spec


def test_registering_again_answers_from_the_new_load() -> None:
    handlers: dict[tuple[str, str], Any] = {}

    def route(method: str, path: str) -> object:
        def add(handler: object) -> None:
            assert (method, path) not in handlers
            handlers[method, path] = handler

        return add

    server = SimpleNamespace(routes=SimpleNamespace(route=route))
    for load in ("first", "second"):
        register(server, SimpleNamespace(account=lambda _, load=load: {"load": load}))  # type: ignore[arg-type]
    assert len(handlers) == len(ROUTES) + len(HELP_PATHS)
    answer = asyncio.run(handlers["GET", "/runcomfy/account"](SimpleNamespace(query={}, remote="127.0.0.1")))
    assert json.loads(answer.body) == {"load": "second"}


def test_without_a_server_there_are_no_routes_and_no_error() -> None:
    register(None, SimpleNamespace())  # type: ignore[arg-type]


def test_states_are_kept_for_a_page_that_is_opened_later(host: Standin) -> None:
    live = host.pack.nodes.comfyui.HOST.live
    place = NodeLocation("12:5", "RunComfyNanoBananaProEdit", "prompt", "workflow")
    live.put(place, Progress(Stage.RUNNING, request_id="abc", seconds=3))
    (state,) = ask(host, "POST", "progress", json={"client": "me"}).json()["nodes"]
    assert (state["node"], state["stage"], state["request_id"], state["live"]) == ("12:5", "running", "abc", False)
    assert live.update_mode("me", None).value == "states"
    assert live.update_mode("another", None).value == "text"


def test_no_page_of_another_site_changes_what_a_page_hears(host: Standin) -> None:
    live = host.pack.nodes.comfyui.HOST.live
    ask(host, "POST", "progress", json={"client": "me"})
    for number in range(MAX_PAGES):
        assert ask(host, "GET", f"progress?client={number}").status_code == 405
        foreign = {"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
        assert ask(host, "POST", "progress", data=f'{{"client": "{number}"}}', headers=foreign).status_code == 403
    assert live.update_mode("me", None) is not live.update_mode("another", None)


def test_every_get_changes_nothing() -> None:
    looks = {"account", "prices", "jobs", "job", "thumbnail", "job_file", "spend", "export_jobs", "settings"}
    assert {name for method, _, name in ROUTES if method == "GET"} == looks | {"messages", "model_texts"}


def test_calls_that_hold_a_thread_are_bounded_for_each_client(
    host: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go_on = threading.Semaphore(0), threading.Event()

    def hold(*_: object) -> dict[str, object]:
        entered.release()
        go_on.wait(20)
        return {}

    monkeypatch.setattr(type(getattr(host, routes.PAGE_ATTRIBUTE)), "account", hold)
    most = routes.MAX_CALLS_OF_A_CLIENT
    with ThreadPoolExecutor(most) as pool:
        held = [pool.submit(ask, host, "GET", "account") for _ in range(most)]
        assert all(entered.acquire(timeout=10) for _ in range(most))
        answer = ask(host, "GET", "messages")
        assert (answer.status_code, answer.json()["kind"]) == (429, "too_many_calls")
        go_on.set()
        assert {one.result().status_code for one in held} == {200}
    ends = time.monotonic() + 10
    while ask(host, "GET", "messages").status_code != 200:
        assert time.monotonic() < ends, "a call that has ended is counted still"


def test_all_clients_together_leave_threads_to_the_jobs() -> None:
    under_way = routes.CallsUnderWay()
    for number in range(routes.MAX_CALLS):
        under_way.begin(f"10.0.0.{number}")
    with pytest.raises(routes.Refused):
        under_way.begin("10.0.1.1")
    under_way.end("10.0.0.1")
    under_way.begin("10.0.1.1")
    assert threads.THREADS_OF_A_KIND > routes.MAX_CALLS


MARKUP = "blocked: <img src=x onerror=\"alert('1')\"> R&D"


def test_markup_in_a_providers_text_is_no_markup_to_the_host(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.fault(Fault("job", fails=MARKUP))
    with pytest.raises(JobFailed) as raised:
        runner.text_to_image()
    assert "blocked: \u2039img src=x" in str(raised.value) and "R\uff06D" in str(raised.value)
    assert not {*"<>&"} & {*str(raised.value)}
    assert raised.value.failure.request_id == api.jobs[0].request_id
    texts: list[str] = []
    server = SimpleNamespace(send_progress_text=lambda text, _: texts.append(text), client_id="old page")
    monkeypatch.setattr(runtime, "prompt_server", lambda: server)
    runtime.ComfyRunHost(NodeStatusStore(), NodeLocation("7")).report(runner.host.last)
    assert len(texts) == 1 and "onerror" in texts[0]
    assert not {*"<>&"} & {*texts[0]}
    shown = runner.host.last.failure
    assert shown is not None and shown.reason == MARKUP, "the pack's own page writes text and gets it as it is"


def test_page_that_is_loaded_anew_hears_nothing_until_it_asks() -> None:
    live, before, now = NodeStatusStore(), object(), object()
    live.subscribe("me", before)
    assert live.update_mode("me", before) is UpdateMode.STATES
    assert live.update_mode("me", now) is UpdateMode.LATER
    live.subscribe("me", now)
    assert live.update_mode("me", now) is UpdateMode.STATES


def test_live_states_are_bounded_and_a_stop_is_noted_once() -> None:
    live = NodeStatusStore()
    for number in range(MAX_STATES + 10):
        live.put(NodeLocation(str(number)), Progress(Stage.RUNNING))
        live.subscribe(str(number), None)
    assert len(live.all()) == MAX_STATES
    assert live.update_mode(str(MAX_STATES + 9), None) is UpdateMode.STATES
    assert live.update_mode("0", None) is UpdateMode.TEXT and MAX_PAGES < MAX_STATES
    stopped = live.stop(NodeLocation("50"))
    assert stopped is not None and stopped.payload()["stopped"] is True
    live.put(NodeLocation("50"), Progress(Stage.DELIVERED))
    assert live.stop(NodeLocation("50")) is None
    assert live.stop(NodeLocation("50", prompt="another")) is None


def test_bar_follows_earlier_jobs_and_never_runs_backwards() -> None:
    assert expected_fraction(3, []) is None
    assert expected_fraction(3, [0.0]) is None
    assert expected_fraction(5, [10]) == pytest.approx(MOST_EXPECTED / 2)
    durations = [8, 10, 12, 300]
    bar = [expected_fraction(waited, durations) or 0 for waited in range(400)]
    assert bar == sorted(bar)
    assert bar[10] > 0.6 * MOST_EXPECTED and bar[-1] == MOST_EXPECTED


def test_run_reports_the_bar_once_such_jobs_are_known(runner: Runner) -> None:
    runner.api.run_seconds = 1.2
    runner.text_to_image(seed=1)
    assert {report.fraction for report in runner.host.reports} == {None}
    runner.host.reports.clear()
    runner.text_to_image(seed=2)
    shown = [report.fraction for report in runner.host.reports if report.fraction is not None]
    assert shown == sorted(shown) and shown and 0 <= shown[0] < shown[-1] <= MOST_EXPECTED


def paths() -> list[tuple[str, str, str]]:
    return [(method, path.removeprefix("/"), name) for method, path, name in ROUTES]
