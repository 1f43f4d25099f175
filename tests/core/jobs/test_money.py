"""Memory between runs: what is stored of a failure, what is collected."""

from __future__ import annotations

import pytest
from support import Runner

from emulator import Emulator, Fault
from nodes.core.errors import InvalidInput, JobFailed


def test_a_reason_that_quotes_the_prompt_is_shown_and_not_stored(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_INPUTS", "0")
    api.fault(Fault("job", fails="blocked: a purple walrus"))
    with pytest.raises(JobFailed, match="a purple walrus"):
        runner.text_to_image(prompt="a purple walrus")
    (job,) = runner.jobs()
    assert job.state == "failed" and job.outcome
    assert not [file for file in runner.state.rglob("*") if file.is_file() and b"walrus" in file.read_bytes()]


@pytest.mark.parametrize("request_id", [None, 7, "", "a/b", "../x"])
def test_collecting_refuses_what_is_no_request_id(runner: Runner, api: Emulator, request_id: object) -> None:
    with pytest.raises(InvalidInput, match="request_id"):
        runner.collect(request_id)
    assert api.calls == [] and runner.jobs() == []


def test_collecting_takes_a_request_id_with_space_around_it(runner: Runner, api: Emulator) -> None:
    _, urls, request_id = runner.text_to_image()
    found = runner.collect(f" {request_id}\n")
    assert found[1:] == (urls, request_id)
    assert len(api.billed) == 1
