"""The emulator as a tool: its flags, its log, and faults that are changed while it runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator, Fault, parse_fault
from emulator.__main__ import main
from emulator.fault_help import OF_A_CALL, OF_A_JOB, fault_text
from emulator.faults import CALL_KINDS, JOB_KINDS

TEXT = "google/nano-banana-2/text-to-image"
ROOT = Path(__file__).resolve().parents[2]


class Served:
    """The command in a process of its own."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self.token = base_url, token
        self.origin = base_url.removesuffix("/v1")
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return self.session.request(method, self.origin + path, headers=bearer, timeout=9, **more)

    def submit(self, model_id: str = TEXT, **body: Any) -> requests.Response:
        return self.call("POST", f"/v1/models/{model_id}", json={"prompt": "A tree"} | body)


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    processes, sessions = [], []

    def start(*arguments: str) -> Served:
        command = [sys.executable, "-m", "emulator", "--port", "0", "--queue-seconds", "0", "--run-seconds", "0"]
        process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout
        found = re.fullmatch(r"export \S+=(\S+) RUNCOMFY_API_TOKEN=(\S+)\n", process.stdout.readline())
        assert found
        sessions.append(Served(found[1], found[2]))
        return sessions[-1]

    yield start
    for served in sessions:
        served.session.close()
    for process in processes:
        with process:
            process.send_signal(signal.SIGINT) if os.name == "posix" else process.terminate()


def test_token_balance_and_prices_are_flags(serve: Callable[..., Served]) -> None:
    served = serve("--token", "mine", "--balance", "-2.5", "--price", "0.5", "--price", f"{TEXT}=0.25")
    assert served.token == "mine"
    assert served.call("GET", "/prod/v2/balance").json() == {"balance_usd": -2.5, "currency": "USD"}
    assert served.submit().status_code == 402 or served.submit().json()["error_code"] == 400002
    prices = {one["model_id"]: one["base_price_usd"] for one in served.call("GET", "/v1/models").json()["models"]}
    assert prices.pop(TEXT) == 0.25
    assert set(prices.values()) == {0.5}


def test_a_saved_catalogue_is_on_offer_with_its_prices(serve: Callable[..., Served], tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}, "num_images": {"type": "integer"}}}
    entries = [
        {"model_id": "a/b", "categories": ["text-to-image"], "base_price_usd": 0.75, "input_schema": schema},
        {"model_id": "a/c", "display_name": "C", "input_schema": schema},
    ]
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps({"models": entries, "total": 2}))
    served = serve("--catalogue", str(path))
    listed = served.call("GET", "/v1/models?include_schema=true").json()["models"]
    assert [(one["model_id"], one["base_price_usd"]) for one in listed] == [("a/b", 0.75), ("a/c", 0.1)]
    assert [one["input_schema"] for one in listed] == [schema, schema]
    request_id = served.submit("a/b", num_images=2).json()["request_id"]
    result = served.call("GET", f"/v1/requests/{request_id}/result?include_cost=true").json()
    assert len(result["output"]["images"]) == 2 and result["cost"] == 1.5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Expecting"),
        ("{}", "neither"),
        ('{"models": []}', "no model"),
        ('[{"model_id": "a/b"}]', "a/b has no input_schema"),
        ('[{"input_schema": {}}]', "no model_id"),
        ('[{"model_id": "a/b", "input_schema": {"properties": {}}, "base_price_usd": "1"}]', "base_price_usd"),
        (None, "No such file"),
    ],
)
def test_a_catalogue_that_cannot_be_read_is_told(
    content: str | None, reason: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "catalogue.json"
    if content is not None:
        path.write_text(content)
    assert main(["--port", "0", "--catalogue", str(path)]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"--catalogue: {path} cannot be read: ") and reason in told


def test_a_folder_without_models_and_a_price_of_no_model_are_told(tmp_path: Path, capsys: Any) -> None:
    assert main(["--port", "0", "--catalogue", str(tmp_path)]) == 1
    assert main(["--port", "0", "--price", "a/b=1"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("there is no model in it")
    assert second == f"--price: there is no model 'a/b'; there are {', '.join(Emulator().models)}"


@pytest.mark.parametrize("arguments", [["--balance", "much"], ["--price", "a/b=-1"], ["--token", "two words"]])
def test_a_flag_that_cannot_be_read_is_named(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert f"argument {arguments[0]}: " in capsys.readouterr().err


def test_the_log_tells_what_was_asked_and_holds_no_token(serve: Callable[..., Served]) -> None:
    served = serve("--fault", "status:503")
    request_id = served.submit().json()["request_id"]
    served.call("GET", f"/v1/requests/{request_id}/status")
    served.call("GET", f"/v1/requests/{request_id}/status")
    answer = served.call("GET", "/_log")
    calls = answer.json()["calls"]
    assert [(call["number"], call["what"], call["method"], call["status"]) for call in calls] == [
        (1, "submit", "POST", 200),
        (2, "status", "GET", 503),
        (3, "status", "GET", 200),
    ]
    assert all(call["request_id"] == request_id for call in calls)
    assert calls[0]["bytes"] == len('{"prompt": "A tree"}') and 0 <= calls[0]["seconds"] <= calls[2]["seconds"]
    assert served.token not in answer.text
    assert [call["number"] for call in served.call("GET", "/_log?what=status&after=2").json()["calls"]] == [3]
    assert served.call("GET", "/_log?after=x").status_code == 400


def test_faults_are_changed_while_it_runs(serve: Callable[..., Served]) -> None:
    served = serve("--fault", "catalog:500*forever")
    added = served.call("POST", "/_faults", data="submit:503*2\njob:fails=Too dark@1\n")
    assert [one["fault"] for one in added.json()["faults"]] == [
        "catalog:500*forever",
        "submit:503*2",
        "job:fails=Too dark@1",
    ]
    assert [served.submit().status_code for _ in range(3)] == [503, 503, 200]
    assert [one["struck"] for one in served.call("GET", "/_faults").json()["faults"]] == [0, 2, 0]
    refused = served.call("POST", "/_faults", data="submit:reset\nsubmit:nonsense")
    assert refused.status_code == 400 and "nonsense" in refused.json()["error"]
    assert len(served.call("GET", "/_faults").json()["faults"]) == 3, "all of them, or none"
    assert served.call("DELETE", "/_faults").json() == {"faults": []}
    assert served.call("GET", "/v1/models").status_code == 200


def test_the_help_lists_every_fault_there_is(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    kinds = {"status" if form == "503" else form.partition("=")[0].replace("-", "_") for form in OF_A_CALL}
    assert kinds == {*CALL_KINDS} - {"edit", "content"}
    assert {form.partition("=")[0].replace("-", "_") for form in OF_A_JOB} == {*JOB_KINDS} - {"files"}
    for form, meaning in {**OF_A_CALL, **OF_A_JOB}.items():
        assert form in shown and meaning in shown


@pytest.mark.parametrize(
    "text",
    ["submit:503", "file:reset*2", "status:hang=2.5*forever@3", "job:sizes=64x32,16x16", "file:hang-after=1.0@1"],
)
def test_a_fault_is_told_in_the_form_in_which_it_is_set(text: str) -> None:
    assert fault_text(parse_fault(text)) == text


def test_a_fault_of_several_kinds_and_one_that_needs_code_are_told() -> None:
    assert fault_text(Fault("job", images=2, late_cost=1)) == "job:images=2+late-cost=1"
    assert fault_text(Fault("file", content=b"x")) == "file:content"


@pytest.mark.parametrize("missing", ["aiohttp", "PIL"])
def test_without_what_it_needs_it_says_so_in_one_line(missing: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    for command, status in ((["-m", "emulator"], 1), (["-c", "import emulator"], 1)):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert done.returncode == status
        last = done.stderr.splitlines()[-1]
        assert "The emulator needs aiohttp and Pillow: python -m pip install aiohttp pillow" in last
        assert ("Traceback" in done.stderr) is (command[0] == "-c")


def test_strict_validation_without_its_library_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert main(["--port", "0"]) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert "python -m pip install jsonschema" in told and "--validation lenient" in told
