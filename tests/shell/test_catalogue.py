"""The catalogue from a shell: find, add, run, update, remove, check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from offers import offer, one_of, schema, text
from support import Runner

from emulator import Emulator, Fault
from nodes.shell.commands import main

PIXEL = "acme/pixel-1.5/text-to-image"
BEFORE = schema("prompt", prompt=text(), size=one_of("1:1", "2:1"))
NOW = schema("prompt", prompt=text(), aspect_ratio=one_of("1:1", "2:1"))


@pytest.fixture(autouse=True)
def offered(runner: Runner) -> None:
    offer(runner.api, PIXEL, BEFORE)


def run(capsys: Any, *arguments: str) -> tuple[int, Any, str]:
    """Run a command with ``--json``; return its status, its object and what it told."""
    status = main([*arguments, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out), err


def test_a_model_is_found_added_run_and_removed(api: Emulator, tmp_path: Path, capsys: Any) -> None:
    assert main(["models", "search", "pixel", "acme"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [PIXEL, "image", "$0.05/output", "-", "Pixel-1.5"]
    assert main(["run", PIXEL, "a fox"]) == 2
    assert "models search WORDS" in capsys.readouterr().err
    status, added, _ = run(capsys, "models", "add", PIXEL)
    assert (status, added["state"], added["refused"]) == (0, "done", [])
    assert added["added"][0]["node_id"] == "RunComfy_acme__pixel_1___5__text_to_image"
    _, listed, _ = run(capsys, "models", "acme")
    assert [(one["model_id"], one["source"]) for one in listed["models"]] == [(PIXEL, "added")]
    assert main(["run", PIXEL, "a fox", "--size", "2:1", "--out", str(tmp_path / "out")]) == 0
    assert [job.body for job in api.billed] == [{"prompt": "a fox", "size": "2:1"}]
    capsys.readouterr()
    assert main(["models", "remove", PIXEL]) == 0
    assert capsys.readouterr().out == f"removed: {PIXEL}\n"
    assert run(capsys, "models", "acme")[1]["models"] == []


def test_what_cannot_be_added_is_told_and_leaves_the_others_alone(runner: Runner, capsys: Any) -> None:
    offer(runner.api, "acme/odd/text-to-image", schema(x={"type": "vector"}))
    status, told, err = run(capsys, "models", "add", "acme/odd/text-to-image", PIXEL, "acme/none/x")
    assert (status, told["state"]) == (4, "partial")
    assert [one["model_id"] for one in told["added"]] == [PIXEL]
    kinds = {one["model_id"]: one["failure"]["kind"] for one in told["refused"]}
    assert kinds == {"acme/odd/text-to-image": "cannot_be_a_node", "acme/none/x": "not_in_catalogue"}
    assert "no widget stands for 'vector'" in err
    assert run(capsys, "models", "remove", "google/nano-banana/pro/edit")[0] == 4
    assert main(["models", "add", "../x"]) == 4


def test_a_changed_model_is_refused_until_it_is_updated_or_sent_as_it_is(
    api: Emulator, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_AS_IT_IS", "")
    out = ["--out", str(tmp_path / "out")]
    assert main(["models", "add", PIXEL]) == 0
    offer(api, PIXEL, NOW)
    capsys.readouterr()
    for more in (["--dry-run"], []):
        status, told, err = run(capsys, "run", PIXEL, "a fox", *more, *out)
        assert (status, told["failure"]["kind"], told["charged"]) == (4, "model_changed", "no")
    assert "size: the model has no such input any more." in err
    assert f"models update {PIXEL}" in err and "--as-is" in err
    assert api.jobs == []
    status, checked, _ = run(capsys, "models", "check")
    changed = [one for one in checked["models"] if one["state"] != "same"]
    assert [(one["model_id"], one["state"]) for one in changed] == [(PIXEL, "changed")]
    assert [one["message"] for one in changed[0]["changes"]] == [
        "size is not there any more.",
        "aspect_ratio is new.",
    ]
    api.validation = "lenient"
    assert main(["run", PIXEL, "a fox", "--as-is", *out]) == 0
    assert [job.body for job in api.billed] == [{"prompt": "a fox", "size": "1:1"}]
    monkeypatch.setenv("RUNCOMFY_AS_IT_IS", "")
    capsys.readouterr()
    status, told, _ = run(capsys, "models", "update", PIXEL, "acme/none/x")
    assert (status, [one["model_id"] for one in told["updated"]]) == (4, [PIXEL])
    assert main(["run", PIXEL, "a cat", "--aspect-ratio", "2:1", *out]) == 0
    assert api.billed[-1].body == {"prompt": "a cat", "aspect_ratio": "2:1"}
    assert main(["models", "check"]) == 0
    assert "All models here are as the catalogue has them." in capsys.readouterr().out


def test_an_added_model_runs_offline_too(api: Emulator, tmp_path: Path, capsys: Any) -> None:
    assert main(["models", "add", PIXEL]) == 0
    assert main(["run", PIXEL, "a fox", "--offline", "--out", str(tmp_path / "out")]) == 0
    assert api.jobs == [] and len(list((tmp_path / "out").iterdir())) == 1
    capsys.readouterr()


def test_without_the_catalogue_what_is_kept_is_listed_and_the_reason_told(
    api: Emulator, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.fault(Fault("catalog", status=503, times=99))
    status, found, err = run(capsys, "models", "search", "nano-banana-2/")
    assert (status, found["failure"]["kind"]) == (0, "api_failed")
    assert [one["model_id"] for one in found["models"]] == ["google/nano-banana-2/text-to-image"]
    assert "RunComfy" in err
    monkeypatch.delenv("RUNCOMFY_API_TOKEN")
    status, told, err = run(capsys, "models", "add", PIXEL)
    assert (status, told["refused"][0]["failure"]["kind"]) == (3, "token_missing")
    assert run(capsys, "models", "update", "google/nano-banana-2/text-to-image")[0] == 3
    assert main(["models", "search", "nothing-is-called-so"]) == 0
    assert "No model of the catalogue is like that." in capsys.readouterr().out


def test_without_a_record_the_catalogue_that_is_kept_is_listed(runner: Runner, capsys: Any) -> None:
    assert main(["models", "search", "pixel"]) == 0
    for file in runner.state.glob("jobs.sqlite3*"):
        file.unlink()
    (runner.state / "jobs.sqlite3").mkdir()
    capsys.readouterr()
    status, found, _ = run(capsys, "models", "search", "pixel")
    assert (status, [one["model_id"] for one in found["models"]]) == (0, [PIXEL])
    assert found["failure"]["kind"] == "record_unusable"
    assert run(capsys, "models", "update", "google/nano-banana-2/text-to-image")[0] == 3
