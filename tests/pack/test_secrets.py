"""The token and the prompt are nowhere but where they have to be: one search through everything a run leaves."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hurry import hurry, service
from PIL import Image
from support import PRO_EDIT, ROOT, TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner, image

from emulator import Emulator, Fault
from nodes.core import threads
from nodes.core.errors import PackError
from nodes.core.jobs.progress import Stage
from nodes.core.store.journal import FILE_NAME

TOKEN = "tok-5ecret-Aa1.~+/=recognizable"
SPELLINGS = (TOKEN, quote(TOKEN), quote(TOKEN, safe=""), re.sub("%..", lambda code: code[0].lower(), quote(TOKEN)))
PROMPT = "a zebra in a recognizable greenhouse"


@pytest.fixture
def api() -> Iterator[Emulator]:
    with Emulator(token=TOKEN) as emulator:
        yield emulator


def echoes(status: int, code: int = 0) -> dict[str, object]:
    """An error whose text repeats what it was sent, as some gateways do."""
    text = f"bad header Authorization: Bearer {TOKEN} in {TOKEN!r}, as addresses have it {' '.join(SPELLINGS)}"
    return {
        "status": status,
        "body": {"error_code": code, "message": text, "detail": [{"msg": TOKEN, "loc": [TOKEN]}]},
    }


# Name -> the faults of a run of the text-to-image node.
SCENARIOS: dict[str, tuple[Fault, ...]] = {
    "fine": (),
    "refused": (Fault("submit", **echoes(422)),),
    "wrong token": (Fault("submit", **echoes(400, 400004)),),
    "accepted with an error": (Fault("submit", **echoes(200, 400002)),),
    "server's fault": (Fault("submit", **echoes(500)),),
    "web page": (Fault("submit", status=502, body=f"<html>{TOKEN}</html>"),),
    "garbage": (Fault("submit", content=f'{{"request_id": "{TOKEN}"'.encode()),),
    "token for an id": (Fault("submit", edit=lambda answer: answer | {"request_id": TOKEN}),),
    "reset": (Fault("submit", reset=True),),
    "limited": (Fault("submit", **echoes(429)),),
    "status": (Fault("status", **echoes(401)),),
    "state": (Fault("status", edit=lambda answer: answer | {"status": f"state {TOKEN}"}),),
    "status faults": (Fault("status", **echoes(503), times=3), Fault("status", reset=True)),
    "result": (Fault("result", **echoes(400)),),
    "fails": (Fault("job", fails=f"your key {TOKEN} was seen"),),
    "fails with an object": (Fault("job", fails={"message": TOKEN, "error": {"msg": TOKEN}}),),
    "token in a file's address": (
        Fault("result", edit=lambda answer: answer | {"output": {"image": f"https://evil.example/{TOKEN}"}}),
    ),
    "token for a host": (
        Fault("result", edit=lambda answer: answer | {"output": {"image": f"https://{TOKEN}.example/x.png"}}),
    ),
    "redirect": (Fault("file", redirect=f"https://evil.example/?token={TOKEN}"),),
    "file": (Fault("file", status=400, body=TOKEN),),
    "damaged file": (Fault("file", times=3, content=TOKEN.encode()),),
}


def run_all(runner: Runner, api: Emulator) -> list[BaseException]:
    """Run every scenario twice, an edit, Stop, and a collect; return what was raised."""
    raised: list[BaseException] = []

    def attempt(call: Callable[[], object]) -> None:
        try:
            call()
        except (PackError, Interrupted) as error:
            raised.append(error)

    for number, faults in enumerate(SCENARIOS.values()):
        for fault in faults:
            api.fault(fault)
        for _ in range(2):
            attempt(lambda number=number: runner.text_to_image(PROMPT, seed=number, resolution="0.5K"))
        api.clear_faults()
    attempt(lambda: runner.run(PRO_EDIT, prompt=PROMPT, image_1=image(), resolution="1K", sync_mode=True))
    attempt(lambda: runner.text_to_image(PROMPT * 10_000))
    attempt(lambda: runner.run(PRO_EDIT, prompt=PROMPT, image_urls=f"https://user:{TOKEN}@example.com/{PROMPT}"))
    attempt(lambda: runner.collect(f"../{TOKEN}"))
    attempt(lambda: runner.collect("nobody-knows-it"))
    host = RecordingHost()
    host.stop_at = Stage.QUEUED
    api.hold = True
    api.fault(Fault("cancel", **echoes(401)))
    attempt(lambda: asyncio.run(runner.start(TEXT_TO_IMAGE, host, prompt=PROMPT, seed=99)))
    threads.finish()
    runner.host.reports += host.reports
    return raised


def everything(errors: list[BaseException]) -> str:
    """Return all that exceptions hold, with those they were made from."""
    texts: list[str] = []
    todo: list[BaseException | None] = list(errors)
    while todo:
        error = todo.pop()
        if error is None:
            continue
        texts += [str(error), repr(error), repr(error.args), repr(vars(error))]
        texts += traceback.format_exception(error)
        todo += [error.__cause__, error.__context__]
    return "\n".join(texts)


@pytest.mark.parametrize("kept", [False, True], ids=["inputs not kept", "inputs kept"])
def test_no_secret_is_left_anywhere(
    runner: Runner, api: Emulator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_INPUTS", str(kept).lower())
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "PIL", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    hurry()
    raised = run_all(runner, api)
    assert len(raised) >= len(SCENARIOS) - 4, "most scenarios show an error"
    assert {type(error).__name__ for error in raised} >= {
        "Rejected", "Unauthorized", "InsufficientBalance", "SubmissionUnknown", "JobFailed", "ProtocolError",
        "UntrustedUrl", "DownloadError", "Undecodable", "InvalidInput", "Interrupted",
    }  # fmt: skip
    assert caplog.records and any(record.name.startswith("urllib3") for record in caplog.records)

    shown = runner.host.text + "".join(repr(report) for report in runner.host.reports)
    journal = "".join(repr(job) for job in runner.jobs())
    settings = repr(service().settings)
    texts = {"errors": everything(raised), "progress": shown, "journal": journal, "settings": settings}
    logged = "\n".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records)
    texts["log"] = logged + caplog.text
    for name, text in texts.items():
        assert not [token for token in SPELLINGS if token in text], f"the token is in the {name}"
        assert PROMPT not in text, f"the prompt is in the {name}"

    files = {path: path.read_bytes() for path in runner.state.rglob("*") if path.is_file()}
    assert any(path.name == FILE_NAME for path in files) and any("kept" in path.parts for path in files)
    for path, data in files.items():
        assert not [token for token in SPELLINGS if token.encode() in data], f"the token is in {path.name}"
        recorded = kept and path.name.startswith(FILE_NAME)
        assert recorded or PROMPT.encode() not in data, f"the prompt is in {path.name}"
        assert not recorded or path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    assert kept == any(PROMPT.encode() in data for data in files.values())

    for call in api.calls:
        sent = call.headers.get("Authorization")
        assert sent == (None if call.what in ("file", "other") else f"Bearer {TOKEN}"), call.path
        assert TOKEN not in call.path and all(
            TOKEN not in value for name, value in call.headers.items() if name != "Authorization"
        )


def test_a_shell_run_leaves_no_secret(runner: Runner, api: Emulator, tmp_path: Path) -> None:
    assert runner.state
    command = [sys.executable, "-m", "nodes", "text-to-image", "--prompt", PROMPT, "--resolution", "0.5K"]
    api.fault(Fault("submit", **echoes(422)))
    ends = [
        subprocess.run(
            [*command, "--out", str(tmp_path / "out")], cwd=ROOT, text=True, capture_output=True, check=False
        )
        for _ in range(2)
    ]
    assert [end.returncode for end in ends] == [4, 0], ends
    said = "".join(end.stdout + end.stderr for end in ends)
    assert "Charged: no" in said and PROMPT not in said
    assert not [token for token in SPELLINGS if token in said]
    [image] = (tmp_path / "out").iterdir()
    with Image.open(image) as opened:
        opened.load()
        assert opened.info == {}, "no metadata"
    assert TOKEN.encode() not in image.read_bytes() and PROMPT.encode() not in image.read_bytes()
