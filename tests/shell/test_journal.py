"""The command that copies a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from postgres import PASSWORD, Server

from nodes.core.store.job import NewJob
from nodes.core.store.journal import Journal
from nodes.shell.commands import main


@pytest.fixture
def address(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    made = server.new_database()
    monkeypatch.setenv("RUNCOMFY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RUNCOMFY_JOURNAL", made)
    journal = Journal(tmp_path / "state")
    journal.adopt(NewJob("a", "account", "vendor/model"), "request-1")
    journal.close()
    return made


def test_a_record_is_copied_to_a_server_and_back(
    address: str, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["journal", "copy", "sqlite", "postgres"]) == 0
    assert "1 jobs are copied" in capsys.readouterr().out
    assert server.sql("SELECT request_id FROM jobs", address) == [("request-1",)]
    assert main(["jobs", "--json"]) == 0, "the command reads the record on the server"
    assert json.loads(capsys.readouterr().out)["jobs"][0]["request_id"] == "request-1"
    assert main(["journal", "copy", address, str(tmp_path / "back"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"state": "done", "jobs": 1}
    back = Journal(tmp_path / "back")
    assert [job.request_id for job in back.recent()] == ["request-1"]
    back.close()


def test_what_stands_against_it_is_told_without_the_password(
    address: str, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["journal", "copy", "sqlite", "sqlite"]) != 0
    assert main(["journal", "copy", "sqlite", "postgres"]) == 0
    assert main(["journal", "copy", "sqlite", "postgres"]) != 0
    with server.away():
        assert main(["journal", "copy", "postgres", "sqlite"]) != 0
    monkeypatch.delenv("RUNCOMFY_JOURNAL")
    assert main(["journal", "copy", "sqlite", "postgres"]) != 0
    told = capsys.readouterr()
    for words in ("same record", "holds jobs already", "cannot be read or written", "RUNCOMFY_JOURNAL is not"):
        assert words in told.err
    assert PASSWORD not in told.err + told.out and address.split("@")[0][-12:] not in told.err
