"""The nodes from a shell: in this process on an emulator as the account, and as a command of its own."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hurry import drawn, wait_until
from makers import by_pillow, file_in, noise
from PIL import Image
from support import PRO_EDIT, ROOT, TEXT_TO_IMAGE, Runner

from emulator import Emulator, Fault
from nodes.core.errors import InvalidInput, PackError
from nodes.core.jobs.progress import Progress, Stage
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.registry import MODELS_FOLDER
from nodes.core.texts import note
from nodes.shell.commands import main
from nodes.shell.flags import in_flags
from nodes.shell.terminal import ShellHost

RunContext = Callable[..., SimpleNamespace]
HANG = 60.0


@pytest.fixture
def run(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Iterator[RunContext]:
    """Run a command line on the emulator as the account; images go to ``out`` in a working folder of the test."""
    assert runner.state == tmp_path / "state"
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGINT)

    def call(*arguments: object) -> SimpleNamespace:
        try:
            status: Any = main([str(argument) for argument in (*arguments, "--out", "out")])
        except SystemExit as leave:
            status = leave.code
            if isinstance(status, str):
                sys.stderr.write(status)
                status = 1
        shown = capsys.readouterr()
        return SimpleNamespace(status=status, out=shown.out, err=shown.err, files=sorted(Path("out").glob("*")))

    yield call
    signal.signal(signal.SIGINT, before)


def test_images_are_saved_as_they_came(run: RunContext, api: Emulator) -> None:
    done = run("text-to-image", "--prompt", "a fox", "--num-images", 2, "--aspect-ratio", "16:9")
    assert done.status == 0
    assert [path.name for path in done.files] == [
        f"text-to-image-{api.jobs[0].request_id}-{number}.png" for number in (1, 2)
    ]
    assert done.out.splitlines() == [str(path) for path in done.files]
    for path, image in zip(done.files, drawn(api, api.jobs[0]), strict=True):
        assert by_pillow(path.read_bytes()).shape == (768, 1360, 3)
        assert np.array_equal(by_pillow(path.read_bytes()), image)
    assert "2 images delivered" in done.err
    assert "Traceback" not in done.err


def test_every_flag_reaches_the_api(run: RunContext, api: Emulator) -> None:
    done = run(
        *("text-to-image", "--prompt", "a fox", "--num-images", 3, "--seed", 2**31 + 7, "--aspect-ratio", "9:16"),
        *("--resolution", "0.5K", "--output-format", "webp", "--safety-tolerance", 6, "--no-limit-generations"),
        "--enable-web-search",
    )
    assert done.status == 0
    assert api.jobs[0].body == {
        "prompt": "a fox",
        "num_images": 3,
        "seed": 7,
        "aspect_ratio": "9:16",
        "resolution": "0.5K",
        "output_format": "webp",
        "safety_tolerance": 6,
        "limit_generations": False,
        "enable_web_search": True,
    }
    assert [path.suffix for path in done.files] == [".webp"] * 3
    assert {path.read_bytes()[8:12] for path in done.files} == {b"WEBP"}, "as they came"


def test_references_are_sent_in_the_order_of_the_command_line(
    run: RunContext, api: Emulator, tmp_path: Path
) -> None:
    first, second = noise(20, 30, seed=1), noise(40, 10, seed=2)
    Image.fromarray(first).save(tmp_path / "a.png")
    Image.fromarray(second).save(tmp_path / "b.webp", lossless=True)
    Image.fromarray(second).save(tmp_path / "c.jpg")
    images = ["--image", "b.webp", "--image", "a.png", "--image", tmp_path / "c.jpg"]
    addresses = ["--image-urls", "https://a.example.com/1.png", "--image-urls", "https://a.example.com/2.png"]
    done = run("pro-edit", "--prompt", "bluer", *addresses, *images, "--sync-mode", "--rerun-seed", 5)
    assert done.status == 0, done.err
    sent = api.jobs[0].body["image_urls"]
    assert [file_in(uri) for uri in sent[:3]] == [
        (tmp_path / name).read_bytes() for name in ("b.webp", "a.png", "c.jpg")
    ]
    assert sent[3:] == ["https://a.example.com/1.png", "https://a.example.com/2.png"]
    assert api.jobs[0].body["sync_mode"] is True
    assert "rerun_seed" not in api.jobs[0].body
    assert "image_1: sent as it is, webp" in done.err
    assert len(done.files) == 1


def test_the_same_command_again_is_not_charged_again(run: RunContext, api: Emulator) -> None:
    first = run("text-to-image", "--prompt", "a fox")
    again = run("text-to-image", "--prompt", "a fox")
    assert (first.status, again.status) == (0, 0)
    assert len(api.billed) == 1
    assert "kept copy, no charge" in again.err
    assert again.files == first.files


def test_a_job_can_be_listed_and_collected(run: RunContext, api: Emulator, capsys: Any) -> None:
    run("text-to-image", "--prompt", "a fox")
    request_id = api.jobs[0].request_id
    assert main(["jobs", "--limit", "9" * 18]) == 0
    listed = capsys.readouterr().out
    assert request_id in listed and "delivered" in listed and TEXT_TO_IMAGE.model_id in listed
    assert "a fox" in listed
    done = run("collect", request_id)
    assert done.status == 0
    assert f"collect-{request_id}-1.png" in [path.name for path in done.files]
    assert len(api.billed) == 1


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
@pytest.mark.usefixtures("runner")
def test_a_list_of_no_jobs_is_refused(limit: str, capsys: Any) -> None:
    assert main(["jobs", "--limit", limit]) == 2
    assert f"argument --limit: a number of 1 or more is expected, not {limit}" in capsys.readouterr().err


# What the command line says


def published(model_id: str) -> dict[str, Any]:
    models = [json.loads(path.read_text(encoding="utf-8")) for path in MODELS_FOLDER.rglob("*.json")]
    (properties,) = (model["input_schema"]["properties"] for model in models if model["model_id"] == model_id)
    return dict(properties)


@pytest.mark.parametrize("spec", [TEXT_TO_IMAGE, PRO_EDIT], ids=lambda spec: spec.command)
def test_help_shows_the_type_the_choices_and_the_default_of_every_field(run: RunContext, spec: ModelSpec) -> None:
    done = run(spec.command, "--help")
    assert done.status == 0
    text = " ".join(done.out.split())
    usage = text[text.index("options: ") :]
    for name, prop in published(spec.model_id).items():
        flag = "--" + name.replace("_", "-")
        shown = re.search(rf"{flag}\b.*?(?= --[a-z]|$)", usage)
        assert shown, flag
        rest = usage[shown.start() :]
        default = f"(default: {prop.get('default')})"
        numbers = prop.get("enum") or [prop.get("minimum"), prop.get("maximum")]
        match prop["type"]:
            case "string" if "enum" in prop:
                assert rest.startswith(f"{flag} {{{','.join(prop['enum'])}}}") and default in rest
            case "integer" if name == "seed":
                assert rest.startswith(f"{flag} INT ") and default in rest
            case "integer":
                assert rest.startswith(f"{flag} {numbers[0]}..{numbers[-1]} ") and default in rest
            case "boolean":
                assert rest.startswith(f"{flag}, --no-{flag[2:]} ") and default in rest
            case "array":
                assert (
                    f"--image FILE [FILE ...] One reference image or a batch, of any size; {prop['maxItems']} "
                    in usage
                )
                assert rest.startswith(f"{flag} URL [URL ...] ")
            case _:
                assert rest.startswith(f"{flag} TEXT ")
        assert prop["description"] in rest
    assert "no account, no charge" in text


def test_help_lists_the_commands(run: RunContext) -> None:
    done = run("--help")
    assert done.status == 0
    for spec in (TEXT_TO_IMAGE, PRO_EDIT):
        assert spec.command in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["text-to-video"],
        ["run"],
        ["run", "google/nano-banana-2/text-to-imag", "a fox"],
        ["text-to-image", "a fox", "--prompt", "another"],
        ["text-to-image", "--prompt", "a", "--num-images", "two"],
        ["text-to-image", "--prompt", "a", "--aspect-ratio", "2:1"],
        ["text-to-image", "--prompt", "a", "--image", "a.png"],
        ["pro-edit", "--prompt", "a", "--seed", "1"],
    ],
)
def test_a_command_line_that_cannot_be_read_is_refused(
    run: RunContext, api: Emulator, arguments: list[str]
) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert "error: " in done.err and "Traceback" not in done.err
    assert done.out == ""
    assert api.calls == []


@pytest.fixture
def files(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 8)).save(tmp_path / "good.png")
    (tmp_path / "words.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:-30])
    (tmp_path / "other.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (tmp_path / "folder").mkdir()


EDIT = ["pro-edit", "--prompt", "a"]


@pytest.mark.parametrize(
    ("arguments", "receipt"),
    [
        (["text-to-image"], "--prompt: it is empty"),
        (["text-to-image", "--prompt", " "], "--prompt: it is empty"),
        (["text-to-image", "--prompt", "a", "--num-images", "5"], "--num-images: 1 to 4 is allowed, not 5"),
        (["text-to-image", "--prompt", "a", "--seed", "-1"], "--seed: 0 or more"),
        (EDIT, "--image-urls: connect an image to --image number 1"),
        ([*EDIT, "--image", "missing.png"], "--image: missing.png cannot be read (No such file"),
        ([*EDIT, "--image", "folder"], "--image: folder cannot be read"),
        ([*EDIT, "--image", "words.png"], "--image: words.png is not an image that can be decoded"),
        ([*EDIT, "--image", "empty.png"], "--image: empty.png is not an image that can be decoded"),
        ([*EDIT, "--image", "cut.png"], "--image: cut.png is not an image that can be decoded"),
        ([*EDIT, "--image", "other.heic"], "--image: other.heic is image/heic, which cannot be read here"),
        ([*EDIT, *["--image", "good.png"] * 21], "--image: at most 20 files are allowed, not 21"),
        ([*EDIT, *["--image", "good.png"] * 20, "--image-urls", "https://a.example.com/1.png"], "given: 21."),
        ([*EDIT, "--image-urls", "http://a.example.com/1.png"], "--image-urls: line 1 is not a public https"),
        ([*EDIT, "--image", "good.png", "--rerun-seed", "-1"], "--rerun-seed: 0 or more"),
    ],
)
@pytest.mark.usefixtures("files")
def test_bad_input_ends_with_its_receipt(
    run: RunContext, api: Emulator, arguments: Sequence[str], receipt: str
) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert done.err.count(receipt) == 1 and "----" not in done.err
    assert "Charged: no." in done.err and "Nothing was sent." in done.err
    assert "Next: Change --" in done.err
    assert "image_" not in done.err, "the inputs have the names of the command line"
    assert "Traceback" not in done.err
    assert done.out == ""
    assert api.calls == []


def test_a_refused_image_has_its_number_on_the_command_line() -> None:
    with pytest.raises(InvalidInput) as told, in_flags(PRO_EDIT):
        raise InvalidInput("image_3", "image_does_not_fit", limit_bytes=2**20)
    assert told.value.message == "--image number 3: the image does not fit into 1.00 MiB, not even as a small JPEG."
    assert "Next: Change --image number 3 and run again." in str(told.value)


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_sent(run: RunContext, api: Emulator) -> None:
    Path("out").write_text("a file")
    done = run("text-to-image", "--prompt", "a fox")
    assert done.status == 2
    assert "--out: out cannot be made a folder" in done.err
    assert api.calls == []


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No image can be saved, until it is undone."""

    def full(_: Any, file: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("nodes.shell.saving.shutil", SimpleNamespace(copyfileobj=full))
        yield disk


@pytest.mark.parametrize("room", ["0", "2048"])
def test_images_that_cannot_be_saved_are_collected_without_a_new_charge(
    run: RunContext, api: Emulator, full_disk: pytest.MonkeyPatch, room: str
) -> None:
    full_disk.setenv("RUNCOMFY_KEEP_MB", room)
    done = run("text-to-image", "--prompt", "a fox")
    request_id = api.jobs[0].request_id
    assert (done.status, done.files) == (5, [])
    assert done.err.splitlines()[-4:] == [
        "The files cannot be saved in out (No space left on device).",
        "Charged: yes, $0.10.",
        f"Request: {request_id}",
        f"Next: Run 'python -m nodes collect {request_id}' with another --out: there is no new charge.",
    ]
    full_disk.undo()
    assert len(run("collect", request_id).files) == 1
    assert len(api.billed) == 1


@pytest.mark.usefixtures("full_disk")
def test_offline_images_that_cannot_be_saved_cost_nothing_and_do_not_last(run: RunContext) -> None:
    done = run("text-to-image", "--prompt", "a fox", "--offline")
    assert done.status == 4
    assert done.err.splitlines()[-3:] == [
        "The files cannot be saved in out (No space left on device).",
        "Charged: no.",
        "Next: Run again with another --out.",
    ]


def test_a_job_that_failed_ends_with_its_receipt(run: RunContext, api: Emulator) -> None:
    api.fault(Fault("job", fails="blocked by the safety filter"))
    done = run("text-to-image", "--prompt", "a fox")
    assert done.status == 6, "the API did not say whether it was charged"
    assert "Reason given: blocked by the safety filter" in done.err
    assert done.err.count("The job failed at the provider.") == 1
    assert f"Request: {api.jobs[0].request_id}" in done.err
    assert "Traceback" not in done.err
    assert done.files == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RUNCOMFY_API_TOKEN", "two words"),
        ("RUNCOMFY_MODEL_API_BASE", "http://api.example.com/v1"),
        ("RUNCOMFY_KEEP_MB", "much"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    run: RunContext, api: Emulator, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    done = run("text-to-image", "--prompt", "a fox")
    assert done.status == 3
    assert variable in done.err
    assert "Traceback" not in done.err and value not in done.err
    assert api.calls == []


def test_without_a_token_it_says_so_and_runs_on_the_emulator(
    run: RunContext, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    done = run("text-to-image", "--prompt", "a fox", "--aspect-ratio", "3:2")
    assert done.status == 0, done.err
    assert "There is no RunComfy API token. Running on the emulator: drawn files, no charge." in done.err
    (path,) = done.files
    assert by_pillow(path.read_bytes()).shape == (832, 1248, 3)
    assert api.calls == []


# The terminal


class Terminal(io.StringIO):
    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


class Gone(Terminal):
    def write(self, _: str) -> int:
        raise BrokenPipeError


SENT = note("sent.lossless", socket="image_1", format="PNG", quality=None, width=3, height=2, bytes=2048)
REPORTS = [
    Progress(Stage.QUEUED, position=12),
    Progress(Stage.QUEUED, position=3),
    Progress(Stage.QUEUED, position=3),
]


def test_a_terminal_shows_one_line_that_changes_and_is_cleared_for_what_stays() -> None:
    out = Terminal(True)
    host = ShellHost(out)
    for report in REPORTS:
        host.report(report)
    host.tell("1 image delivered")
    host.end_line()
    cleared = "\r" + " " * len("Queued, position 12, 0 s") + "\r"
    assert out.getvalue() == (
        f"\rQueued, position 12, 0 s\rQueued, position 3, 0 s {cleared[:-2]}\r1 image delivered\n"
    )


def test_progress_is_for_a_terminal_alone() -> None:
    out = Terminal(False)
    host = ShellHost(out)
    for report in REPORTS:
        host.report(report)
    host.tell("1 image delivered")
    host.end_line()
    assert out.getvalue() == "1 image delivered\n"


def test_quiet_says_nothing_even_to_a_terminal() -> None:
    out = Terminal(True)
    host = ShellHost(out, quiet=True)
    host.report(REPORTS[0])
    host.tell("1 image delivered")
    assert out.getvalue() == ""


def test_of_several_runs_it_tells_how_many_have_ended() -> None:
    out = Terminal(True)
    host = ShellHost(out)
    host.count, host.ended = 3, 1
    host.report(REPORTS[0])
    assert out.getvalue() == "\r1 of 3 done; Queued, position 12, 0 s"


def test_notes_stand_in_the_same_line() -> None:
    out = Terminal(True)
    ShellHost(out).report(Progress(Stage.QUEUED, notes=(note("note.fewer_calls"),)))
    assert out.getvalue() == "\rQueued, 0 s; RunComfy asks for fewer calls."


def test_a_line_that_changes_is_never_longer_than_the_terminal() -> None:
    out = Terminal(True)
    ShellHost(out).report(Progress(Stage.SUBMITTING, sent=(SENT,) * 20))
    assert len(out.getvalue()) == len("\r") + 79


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_failure_is_left_to_its_receipt(is_terminal: bool) -> None:
    out = Terminal(is_terminal)
    ShellHost(out).report(Progress(Stage.FAILED, failure=PackError("job_failed").failure))
    assert out.getvalue() == ""


def test_a_terminal_that_is_gone_costs_no_run() -> None:
    host = ShellHost(Gone(True))
    host.report(REPORTS[0])
    host.report(REPORTS[1])
    host.tell("1 image delivered")
    host.end_line()


# The command itself


def command(*arguments: str) -> subprocess.Popen[str]:
    """Start the command in the repository, with the account of this test's ``runner``."""
    return subprocess.Popen(
        [sys.executable, "-m", "nodes", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("runner")
def test_offline_leaves_the_account_alone_and_nothing_but_images(api: Emulator, tmp_path: Path) -> None:
    Image.fromarray(noise(30, 40)).save(tmp_path / "a.png")
    out = tmp_path / "out"
    arguments = ["pro-edit", "--prompt", "bluer", "--image", str(tmp_path / "a.png"), "--num-images", "2"]
    with command(*arguments, "--offline", "--out", str(out)) as process:
        shown, told = process.communicate(timeout=HANG)
    assert process.returncode == 0, told
    assert "Traceback" not in told and "Warning" not in told
    paths = [Path(line) for line in shown.splitlines()]
    assert sorted(out.iterdir()) == paths and len(paths) == 2
    assert [by_pillow(path.read_bytes()).shape for path in paths] == [(880, 1184, 3)] * 2, (
        "the ratio of the reference"
    )
    assert "2 images delivered" in told
    assert "Queued" not in told, "progress is for a terminal"
    assert api.calls == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "out"]


ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="a signal that only this process gets cannot be sent there")
ENDS_SECONDS = 5.0
"""Half a second is promised after Ctrl-C, which a busy machine makes several; what hangs does so for a minute."""


def press_ctrl_c(api: Emulator, out: Path, seen: Callable[[], object]) -> tuple[float, str]:
    """Run a command, press Ctrl-C once something is seen, and return the seconds until its end and its stderr."""
    with command("text-to-image", "--prompt", "a fox", "--out", str(out)) as process:
        guard = threading.Timer(HANG, process.kill)
        guard.start()
        wait_until(seen, HANG)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
        seconds = time.monotonic() - began
        guard.cancel()
    assert process.returncode == 130, told
    assert "Stopped." in told
    assert "Traceback" not in told
    assert api.count("submit") == 1
    return seconds, told


@ON_POSIX
@pytest.mark.parametrize(
    "fault", [None, Fault("status", times=None, hang=HANG)], ids=["in the queue", "status hangs"]
)
def test_ctrl_c_cancels_and_ends_the_command(
    api: Emulator, runner: Runner, tmp_path: Path, fault: Fault | None
) -> None:
    api.hold = True
    if fault:
        api.fault(fault)
    seconds, _ = press_ctrl_c(api, tmp_path / "out", lambda: api.count("status"))
    assert seconds < ENDS_SECONDS
    assert api.count("cancel") == 1
    assert api.billed == []
    (job,) = runner.jobs()
    assert job.state == "cancelled"


@ON_POSIX
def test_ctrl_c_does_not_wait_for_a_hanging_download(api: Emulator, runner: Runner, tmp_path: Path) -> None:
    api.fault(Fault("file", times=None, hang=HANG))
    seconds, told = press_ctrl_c(api, tmp_path / "out", lambda: api.count("file"))
    assert seconds < ENDS_SECONDS
    assert "the same inputs fetch its files without a new charge" in told
    assert api.count("cancel") == 0
    (job,) = runner.jobs()
    assert job.state == "submitted" and job.files
    api.clear_faults()
    batches, *_ = runner.collect(job.request_id)
    assert len(batches) == 1


@ON_POSIX
def test_ctrl_c_waits_for_the_id_of_a_job_that_is_being_submitted(
    api: Emulator, runner: Runner, tmp_path: Path
) -> None:
    api.hold = True
    api.fault(Fault("submit", hang_after=1.5))
    press_ctrl_c(api, tmp_path / "out", lambda: api.jobs)
    (job,) = runner.jobs()
    assert (job.request_id, job.state) == (api.jobs[0].request_id, "cancelled")


@pytest.mark.parametrize("flag", ["--ask-above", "--max-cost"])
@pytest.mark.parametrize("value", ["nan", "-1", "inf", "much"])
def test_an_amount_that_is_none_is_refused(run: RunContext, api: Emulator, flag: str, value: str) -> None:
    done = run("text-to-image", "a fox", f"{flag}={value}")
    assert done.status == 2
    assert f"argument {flag}: a number of 0 or more is expected, not {value}" in done.err
    assert api.calls == []
