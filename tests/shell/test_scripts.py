"""What scripts rely on: one object on stdout, exit statuses, prompts by the dozen, consent, and quiet ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hurry import wait_until
from makers import noise
from PIL import Image
from shells import BLOCKED, HANG, Done, blocking, call_shell, run_shell
from support import ROOT, Runner

from emulator import OTHERS_PREFIX, Emulator, Fault
from nodes.shell.commands import main
from nodes.shell.report import MEANINGS, Status

Shell = Callable[..., Done]
MODEL = "google/nano-banana-2/text-to-image"
KEYS = {"state", "request_id", "cost_usd", "charged", "files", "urls", "notes", "failure"}
ON_POSIX = pytest.mark.skipif(os.name == "nt", reason="a signal that only this process gets cannot be sent there")


@pytest.fixture
def shell(runner: Runner, tmp_path: Path) -> Shell:
    """Run the command in a folder of the test, with the emulator of the test as the account."""
    assert runner.state == tmp_path / "state"
    return lambda *arguments, **more: call_shell(tmp_path, arguments, **more)


@pytest.fixture
def process(runner: Runner, tmp_path: Path) -> Shell:
    """Run the command in a process of its own."""
    assert runner.state == tmp_path / "state"
    return lambda *arguments, **more: run_shell(tmp_path, arguments, **more)


# Without torch, and files as they came


@pytest.mark.parametrize("make", ["png", "jpeg", "webp"])
def test_a_file_is_saved_byte_for_byte_as_it_came(process: Shell, api: Emulator, tmp_path: Path, make: str) -> None:
    done = process("text-to-image", "A red fox", "--output-format", make)
    assert done.status == 0, done.err
    (path,) = (tmp_path / "output").iterdir()
    assert done.out == f"{Path('output') / path.name}\n"
    assert path.suffix == {"jpeg": ".jpg"}.get(make, f".{make}")
    (served,) = api.files.uris(api.jobs[0])
    assert path.read_bytes() == _bytes_of(served)


def _bytes_of(address: str) -> bytes:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        return session.get(address, timeout=9).content


def test_references_go_without_torch_as_patterns_and_addresses(
    process: Shell, api: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "shots").mkdir()
    for number in (1, 2):
        Image.fromarray(noise(8, 8, seed=number)).save(tmp_path / "shots" / f"{number}.png")
    Image.fromarray(noise(8, 8, seed=3)).save(tmp_path / "first.png")
    address = "https://a.example.com/4.png"
    done = process("pro-edit", "bluer", "--image", "first.png", "shots/*.png", address, "--quiet")
    assert (done.status, done.err) == (0, "")
    sent = api.jobs[0].body["image_urls"]
    assert len(sent) == 4 and sent[3] == address
    assert all(uri.startswith("data:image/") for uri in sent[:3])


# One object on stdout


def test_a_job_is_one_object(process: Shell, api: Emulator) -> None:
    done = process("text-to-image", "A red fox", "--json")
    told = done.json
    assert done.err == "", "progress is for a terminal"
    assert set(told) >= KEYS | {"model_id", "prompt", "missing"}
    assert (told["state"], told["charged"], told["cost_usd"]) == ("delivered", "yes", 0.1)
    assert told["request_id"] == api.jobs[0].request_id
    assert [Path(file).suffix for file in told["files"]] == [".png"]
    again = process("text-to-image", "A red fox", "--json").json
    assert (again["charged"], again["files"]) == ("no", told["files"])
    assert len(api.billed) == 1


def test_of_several_prompts_each_is_a_job_of_one_object(shell: Shell, api: Emulator) -> None:
    api.fault(Fault("job", fails="Too dark", only="hare"))
    done = shell("text-to-image", "A fox", "A hare", "A crow", "--json", "--at-once", 1)
    told = done.json
    assert done.status == Status.NOT_KNOWN
    assert [job["state"] for job in told["jobs"]] == ["delivered", "failed", "delivered"]
    assert all(set(job) >= KEYS for job in told["jobs"])
    assert told["jobs"][1]["failure"]["reason"] == "Too dark"
    assert (told["state"], told["cost_usd"], len(told["files"])) == ("partial", 0.2, 2)
    assert done.err.startswith("prompt 2: The job failed")


@pytest.mark.parametrize("arguments", [["jobs"], ["spend"], ["balance"], ["models"]])
def test_every_listing_is_one_object_too(shell: Shell, arguments: list[str]) -> None:
    done = shell(*arguments, "--json")
    assert done.status == 0 and isinstance(done.json, dict) and done.err == ""


# Exit statuses


def test_a_command_line_that_cannot_be_read_ends_with_2(shell: Shell, api: Emulator) -> None:
    done = shell("text-to-image", "A fox", "--num-images", "two", "--json")
    assert (done.status, done.json["state"]) == (2, "wrong_input")
    assert "--num-images" in done.json["failure"]["message"] and "error: " in done.err
    assert api.calls == []


def test_what_is_not_set_up_ends_with_3_and_one_line(shell: Shell) -> None:
    done = shell("text-to-image", "A fox", RUNCOMFY_API_TOKEN="two words")
    assert done.status == 3
    assert len(done.err.splitlines()) == 1 and "RUNCOMFY_API_TOKEN" in done.err


def test_a_missing_emulator_is_asked_for_in_one_line(process: Shell, tmp_path: Path) -> None:
    path = f"{blocking(tmp_path / 'bare', *BLOCKED, 'aiohttp')}{os.pathsep}{ROOT}"
    done = process("text-to-image", "A fox", RUNCOMFY_API_TOKEN="", PYTHONPATH=path)
    assert done.status == 3
    (line,) = done.err.splitlines()
    assert "python -m pip install aiohttp" in line and "RUNCOMFY_API_TOKEN" in line


@pytest.mark.parametrize(
    ("fault", "status", "state"),
    [
        (Fault("submit", status=402, body={"error_code": 400002}), 4, "refused"),
        (Fault("job", blocked=True), 5, "failed"),
        (Fault("submit", lost=True), 6, "not_known"),
    ],
    ids=["uncharged", "charged", "not known"],
)
def test_the_exit_status_tells_of_the_charge(
    shell: Shell, api: Emulator, fault: Fault, status: int, state: str
) -> None:
    api.fault(fault)
    done = shell("text-to-image", "A fox", "--json")
    assert (done.status, done.json["state"]) == (status, state)
    assert done.json["failure"]["message"] in done.err


def test_a_missing_file_ends_with_5_and_the_others_are_saved(shell: Shell, api: Emulator) -> None:
    api.fault(Fault("file", times=None, status=404, only="1.png"))
    done = shell("text-to-image", "A fox", "--num-images", 3, "--json")
    assert (done.status, done.json["state"], done.json["missing"]) == (5, "partial", 1)
    assert len(done.json["files"]) == 2
    assert any("is missing" in told for told in done.json["notes"])


def test_help_and_readme_tell_the_same_statuses(shell: Shell) -> None:
    done = shell("--help")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert done.status == 0
    for status, meaning in MEANINGS.items():
        assert f"{status:>3}  {meaning}" in done.out
        assert f"| {int(status)} | {meaning} |" in readme
    assert re.fullmatch(r"runcomfy-models \d+\.\d+\.\d+\n", shell("--version").out)


# Prompts


def test_prompts_come_from_arguments_files_and_stdin(shell: Shell, api: Emulator, tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text("A fox\nin the snow\n", encoding="utf-8")
    done = shell("text-to-image", "@fox.txt", "-", "@@home", "--quiet", stdin="A crow\n")
    assert (done.status, done.err) == (0, "")
    prompts = sorted(job.body["prompt"] for job in api.jobs)
    assert prompts == ["@home", "A crow", "A fox\nin the snow"]


def test_a_file_of_lines_is_a_job_each_and_a_second_call_pays_for_what_is_missing(
    shell: Shell, api: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "prompts.txt").write_text("A fox\n\nA hare\nA crow\n", encoding="utf-8")
    api.fault(Fault("job", fails="Too dark", only="hare"))
    first = shell("text-to-image", "--prompts", "prompts.txt", "--json")
    assert first.status == 6 and len(first.json["files"]) == 2
    assert "prompts.txt, line 3: " in first.err
    second = shell("text-to-image", "--prompts", "prompts.txt", "--json")
    assert second.status == 0
    assert len(api.jobs) == 4 and len(second.json["files"]) == 3
    assert second.json["cost_usd"] == 0.1, "what this call has cost"
    assert set(first.json["files"]) < set(second.json["files"])


def test_the_columns_of_a_csv_are_called_as_the_flags(shell: Shell, api: Emulator, tmp_path: Path) -> None:
    rows = 'prompt,num-images,Seed,enable_web_search\n"A fox, red",2,7,yes\nA hare,,,\n'
    (tmp_path / "shots.csv").write_text(rows, encoding="utf-8-sig")
    done = shell("text-to-image", "--prompts", "shots.csv", "--seed", 5, "--at-once", 1, "--yes", "--json")
    assert done.status == 0, done.err
    told = [(j.body["prompt"], j.body["num_images"], j.body["seed"], j.body["enable_web_search"]) for j in api.jobs]
    assert told == [("A fox, red", 2, 7, True), ("A hare", 1, 5, False)]


def test_every_file_of_a_call_has_a_number_of_its_own(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "shots.csv").write_text("prompt,num_images\nA fox,3\nA hare,1\nA crow,2\n")
    done = shell("text-to-image", "--prompts", "shots.csv", "--out", "{index}", "--yes", "--json")
    assert done.json["files"] == [f"{number}.png" for number in range(1, 7)]


def test_references_of_a_csv_replace_those_of_the_command_line(shell: Shell, api: Emulator, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        Image.fromarray(noise(8, 8, seed=ord(name))).save(tmp_path / f"{name}.png")
    (tmp_path / "shots.csv").write_text("prompt,image\nboth,a.png;b.png\nneither,\n", encoding="utf-8")
    done = shell("pro-edit", "--prompts", "shots.csv", "--image", "c.png", "--at-once", 1, "--quiet")
    assert done.status == 0, done.err
    assert [len(job.body["image_urls"]) for job in api.jobs] == [2, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("prompt,wings\nA fox,2\n", "has a column 'wings'"),
        ("prompt\n", "there is no row in shots.csv"),
        ("prompt,num_images\nA fox,1\nA hare,9\n", "shots.csv, line 3: --num-images: 1 to 4 is allowed, not 9"),
        ("prompt,num_images\nA fox,many\n", "line 2: argument --num-images: invalid int value: 'many'"),
        ("prompt\nA fox,1\n", "line 2 has more cells than there are columns"),
        ("prompt,enable_web_search\nA fox,maybe\n", "'maybe'; write true or false"),
        ("seed\n1\n2\n", "it is empty"),
    ],
)
def test_a_csv_that_cannot_be_used_is_told_by_its_line_and_nothing_is_sent(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, content: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shots.csv").write_text(content, encoding="utf-8")
    assert main(["text-to-image", "--prompts", "shots.csv"]) == 2
    assert said in capsys.readouterr().err
    assert runner.api.count("submit") == 0


def test_a_bounded_number_of_jobs_is_under_way(process: Shell, api: Emulator) -> None:
    api.hold = True
    prompts = [f"fox {number}" for number in range(5)]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(process, "text-to-image", *prompts, "--at-once", 2, "--quiet")
        wait_until(lambda: len(api.jobs) == 2, HANG)
        time.sleep(1)
        assert len(api.jobs) == 2
        api.hold = False
        assert running.result().status == 0
    assert len(api.jobs) == 5


def test_after_an_empty_balance_nothing_more_is_tried(shell: Shell, api: Emulator) -> None:
    api.balance_usd = 0.0
    done = shell("text-to-image", "A fox", "A hare", "A crow", "--at-once", 1, "--json")
    assert done.status == 4
    assert [job["state"] for job in done.json["jobs"]] == ["refused", "not_run", "not_run"]
    assert api.count("submit") == 1
    assert "2 more were not run" in done.err


# The price


def test_a_dry_run_tells_the_price_and_sends_nothing(shell: Shell, api: Emulator) -> None:
    shell("text-to-image", "A fox", "--quiet")
    done = shell("text-to-image", "A fox", "A hare", "A crow", "A crow", "--dry-run", "--json")
    told = done.json
    assert (told["state"], told["jobs"], told["new_jobs"], told["cost_usd"]) == ("dry_run", 4, 2, 0.2)
    assert told["runs"][0]["request_id"] == api.jobs[0].request_id and told["runs"][0]["cost_usd"] == 0
    assert api.count("submit") == 1
    text = shell("text-to-image", "A fox", "A hare", "--dry-run")
    assert "1 job, $0.10; 1 job paid for already. Nothing was sent." in text.out
    assert text.out.splitlines()[0].split() == ["COST", "REQUEST", "PROMPT"]


def test_above_the_amount_nothing_is_sent_without_consent(shell: Shell, api: Emulator) -> None:
    many = ["text-to-image", "A fox", "A hare", "--num-images", 4, "--ask-above", "0.5"]
    done = shell(*many, "--json")
    assert (done.status, done.json["state"], api.count("submit")) == (4, "refused", 0)
    assert "2 jobs, from $0.80" in done.err and "--yes" in done.err
    agreed = shell(*many, "--yes")
    assert agreed.status == 0 and len(api.billed) == 2
    assert agreed.err.splitlines()[0] == "2 jobs, from $0.80."


def test_a_price_that_nothing_tells_needs_consent_for_several_jobs(shell: Shell, api: Emulator) -> None:
    api.fault(Fault("catalog", status=404, times=None))
    assert shell("text-to-image", "A fox", "A hare").status == 4
    assert api.count("submit") == 0
    assert shell("text-to-image", "A fox").status == 0


@ON_POSIX
@pytest.mark.parametrize(("answer", "status", "submits"), [("y\n", 0, 1), ("\n", 4, 0)])
def test_a_terminal_is_asked(
    runner: Runner, api: Emulator, tmp_path: Path, answer: str, status: int, submits: int
) -> None:
    import pty

    assert runner.api is api
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "nodes", "text-to-image", "A fox", "--ask-above", "0", "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, answer.encode())
        assert process.wait(HANG) == status, shown
    os.close(ours)
    assert b"1 job, from $0.10." in shown
    assert api.count("submit") == submits


@pytest.mark.parametrize(("answer", "status", "submits"), [("Yes\n", 0, 1), ("no\n", 4, 0), ("", 4, 0)])
def test_only_a_yes_is_consent(shell: Shell, api: Emulator, answer: str, status: int, submits: int) -> None:
    done = shell("text-to-image", "A fox", "--ask-above", 0, terminal=True, stdin=answer)
    assert (done.status, api.count("submit")) == (status, submits)
    assert "1 job, from $0.10.\n" in done.err and done.err.count("[y/N]") == 1


def test_a_free_run_says_nothing_of_a_price(shell: Shell, api: Emulator) -> None:
    shell("text-to-image", "A fox", "--quiet")
    again = shell("text-to-image", "A fox", "--ask-above", 0)
    assert again.status == 0 and "1 job" not in again.err, "it is paid for already"
    dry = shell("text-to-image", "A fox", "--dry-run", "--out", "/dev/null/nowhere")
    assert dry.status == 0 and dry.out.splitlines()[1].split()[:2] == ["paid", api.jobs[0].request_id]


# The record


def test_jobs_have_a_header_and_filters(shell: Shell, api: Emulator) -> None:
    shell("text-to-image", "A red fox", "A blue hare", "--quiet", "--at-once", 1)
    header, newest, oldest = shell("jobs").out.splitlines()
    assert header.split() == ["DATE", "STATE", "COST", "MODEL", "REQUEST", "PROMPT"]
    assert newest.endswith("A blue hare") and oldest.endswith("A red fox")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d  delivered +\$0\.10  ", newest)
    assert [job["prompt"] for job in shell("jobs", "--search", "RED", "--json").json["jobs"]] == ["A red fox"]
    assert shell("jobs", "--state", "failed", "--json").json == {"jobs": []}
    assert shell("jobs", "--model", "a/b").out == "No recorded job is like that.\n"
    assert len(shell("jobs", "--since", "2026-01-01", "--limit", 1, "--json").json["jobs"]) == 1
    assert shell("jobs", "--since", "yesterday").status == 2
    (job,) = shell("jobs", "--search", "fox", "--json").json["jobs"]
    assert (job["request_id"], job["cost_usd"], job["charged"]) == (api.jobs[0].request_id, 0.1, "yes")


def test_on_a_terminal_a_long_prompt_is_cut_and_elsewhere_it_is_whole(shell: Shell) -> None:
    prompt = "A red fox " * 40
    shell("text-to-image", prompt, "--quiet")
    assert shell("jobs").out.splitlines()[1].endswith(prompt.strip())
    header, line = shell("jobs", terminal=True, COLUMNS="200").out.splitlines()
    assert header.endswith("PROMPT") and line.endswith(" …") and len(line) <= 200
    (_, least) = shell("jobs", terminal=True, COLUMNS="20").out.splitlines()
    assert least.index("A red fox") == line.index("A red fox"), "a narrow one shows a part of it all the same"


def test_a_record_that_is_not_there_is_none_and_is_not_made(shell: Shell, runner: Runner) -> None:
    assert shell("jobs").out == f"No job is recorded in {runner.state}.\n"
    assert shell("spend", "--json").json["spent_usd"] == 0 and not runner.state.exists()


def test_a_job_is_allowed_to_be_paid_for_again(shell: Shell, api: Emulator) -> None:
    api.fault(Fault("job", blocked=True))
    assert shell("text-to-image", "A fox").status == Status.CHARGED
    refused = shell("text-to-image", "A fox", "--json")
    assert refused.status == Status.CHARGED and len(api.jobs) == 1
    done = shell("jobs", "retry", api.jobs[0].request_id, "--json")
    assert (done.status, done.json["state"]) == (0, "retry_allowed")
    assert done.json["request_id"] == api.jobs[0].request_id and len(done.json["notes"]) == 1
    assert shell("text-to-image", "A fox", "--quiet").status == 0 and len(api.jobs) == 2
    assert shell("jobs", "retry", "nobody", "--json").json["state"] == "wrong_input"


def test_spending_by_day_and_by_model(shell: Shell) -> None:
    shell("text-to-image", "A red fox", "A blue hare", "--quiet")
    today = time.strftime("%Y-%m-%d")
    told = shell("spend", "--json").json
    assert told["spent_usd"] == 0.2 and told["days"] == [{"day": today, "spent_usd": 0.2, "jobs": 2}]
    assert shell("spend", "--by", "model", "--csv").out == f"model,jobs,spent_usd\n{MODEL},2,0.2\n"
    assert shell("spend", "--by", "model").out.splitlines()[1].split() == [MODEL, "2", "$0.20"]


def test_the_balance_is_asked_for(shell: Shell, api: Emulator) -> None:
    api.balance_usd = 12.5
    assert shell("balance").out == "$12.50\n"
    assert shell("balance", "--json").json["balance_usd"] == 12.5
    assert shell("balance", RUNCOMFY_API_TOKEN="wrong").status == 4
    api.fault(Fault("balance", content=b"{}"))
    assert shell("balance", "--json").json["failure"]["kind"] == "no_balance"


def test_a_queued_job_is_cancelled(shell: Shell, api: Emulator) -> None:
    api.hold = True
    request_id = _submitted(api)
    done = shell("cancel", request_id, "--json")
    assert (done.status, done.json["state"]) == (0, "cancelled")
    assert api.jobs[0].cancelled
    api.hold = False
    again = shell("cancel", request_id)
    assert again.status == 6 and "Traceback" not in again.err


def _submitted(api: Emulator) -> str:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        bearer = {"Authorization": f"Bearer {api.token}"}
        answer = session.post(f"{api.base_url}/models/{MODEL}", json={"prompt": "A fox"}, headers=bearer, timeout=9)
        return str(answer.json()["request_id"])


@pytest.mark.parametrize("command", ["collect", "cancel"])
@pytest.mark.parametrize("request_id", ["nobody", f"{OTHERS_PREFIX}1"])
def test_a_wrong_request_id_leaves_nothing_in_jobs(shell: Shell, command: str, request_id: str) -> None:
    done = shell(command, request_id, "--json")
    assert (done.status, done.json["request_id"]) == (6, request_id)
    assert shell("jobs", "--json").json == {"jobs": []}


def test_neither_does_one_that_could_not_be_asked_for(shell: Shell, api: Emulator) -> None:
    api.fault(Fault("status", times=None, status=401))
    assert shell("collect", "perhaps").status == 6
    assert shell("jobs", "--json").json == {"jobs": []}


def test_a_job_that_was_submitted_elsewhere_is_collected_and_recorded(shell: Shell, api: Emulator) -> None:
    request_id = _submitted(api)
    done = shell("collect", request_id, "--out", "fox.png", "--json")
    assert (done.status, done.json["files"]) == (0, ["fox.png"])
    assert [job["request_id"] for job in shell("jobs", "--json").json["jobs"]] == [request_id]


# What is meant


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["A hare", "--prompt", "A fox"], "--prompt and a PROMPT beside it: which one is meant?"),
        (["--prompts", "empty.txt"], "there is no prompt in empty.txt"),
        (["--prompts", "latin.txt"], "not UTF-8"),
        (["--prompts", "nowhere.txt"], "nowhere.txt"),
        (["@nowhere.txt"], "nowhere.txt"),
        ([], "--prompt: it is empty; write what you want to see."),
        (["--prompts", "seeds.csv"], "seeds.csv, line 3: --prompt: it is empty"),
    ],
)
def test_a_prompt_that_is_none_is_told_and_nothing_is_sent(
    shell: Shell, api: Emulator, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "empty.txt").write_text("\n  \n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "seeds.csv").write_text("prompt,seed\nA fox,1\n,2\n")
    done = shell("text-to-image", *arguments)
    assert done.status == 2 and said in done.err and api.count("submit") == 0


def test_lines_come_from_stdin_too(shell: Shell, api: Emulator) -> None:
    done = shell("text-to-image", "--prompts", "-", "--quiet", stdin="A fox\nA hare\n")
    assert done.status == 0 and sorted(job.body["prompt"] for job in api.jobs) == ["A fox", "A hare"]


# Quiet ends


def test_ctrl_c_while_something_is_asked_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nodes.core.api.client.Client.balance", interrupted)
    done = shell("balance")
    assert (done.status, done.out, done.err) == (130, "", "Stopped.\n")


@ON_POSIX
def test_a_reader_who_has_gone_ends_it_quietly(shell: Shell, runner: Runner) -> None:
    assert runner.state
    shell("text-to-image", "A fox", "--quiet")
    for command in ("models", "--help", "jobs"):
        script = f"{sys.executable} -m nodes {command} | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=HANG)
        assert (done.stdout, done.stderr) == ("0\n", "")


@ON_POSIX
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("text-to-image 'A fox' --quiet --out {out} >&-", 0),
        ("text-to-image 'A fox' --quiet --out {out} 2>&-", 0),
        ("text-to-image 'A fox' --quiet --out {out} <&- >&- 2>&-", 0),
        ("text-to-image 'A fox' --ask-above 0 --out {out} <&-", 4),
        ("text-to-image - --out {out} <&-", 2),
    ],
)
def test_a_stream_that_the_caller_has_closed_is_as_empty(
    runner: Runner, api: Emulator, tmp_path: Path, command: str, status: int
) -> None:
    assert runner.api is api
    script = f"{sys.executable} -m nodes {command.format(out=tmp_path / 'out')}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == status and "Traceback" not in done.stderr, done.stderr
    assert len(api.billed) == len(list((tmp_path / "out").glob("*"))) == (status == 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_an_output_that_is_full_is_one_line_and_the_files_are_there(runner: Runner, tmp_path: Path) -> None:
    assert runner.state
    with open("/dev/full", "w") as full:
        command = [
            sys.executable,
            "-m",
            "nodes",
            "text-to-image",
            "A fox",
            "--quiet",
            "--out",
            str(tmp_path / "out"),
        ]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=HANG)
    assert done.returncode == 1
    assert done.stderr == "The output cannot be written (No space left on device).\n"
    assert len(list((tmp_path / "out").iterdir())) == 1


@ON_POSIX
@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3, 0.45, 0.6, 0.9])
def test_ctrl_c_at_any_moment_is_one_line(runner: Runner, api: Emulator, tmp_path: Path, seconds: float) -> None:
    assert runner.api is api
    api.hold = True
    command = [sys.executable, "-c", STARTED, "text-to-image", "A fox", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANG)
    lines = [line for line in err.splitlines() if not line.startswith("1 job, from")]
    assert process.returncode == 130, err
    assert out == "" and len(lines) == 1 and lines[0].startswith("Stopped."), err


# Says when Python itself has started, which nobody can make quiet.
STARTED = """
import runpy, sys
print("started", flush=True)
runpy.run_module("nodes", run_name="__main__", alter_sys=True)
"""


@ON_POSIX
def test_ctrl_c_stops_all_jobs_and_tells_what_became_of_them(runner: Runner, api: Emulator, tmp_path: Path) -> None:
    assert runner.api is api
    api.hold = True
    command = [sys.executable, "-m", "nodes", "text-to-image", "A fox", "A hare", "A crow", "--at-once", "2"]
    with subprocess.Popen(
        [*command, "--json", "--out", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: len(api.jobs) == 2, HANG)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    told = json.loads(out)
    assert [job["state"] for job in told["jobs"]] == ["stopped"] * 3
    assert told["notes"] == ["Cancelled while it was queued: not charged."]
    assert err == "Stopped. Cancelled while it was queued: not charged.\n"
    assert len(api.jobs) == 2 and api.billed == []
