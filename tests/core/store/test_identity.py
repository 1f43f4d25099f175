"""The key of a record, remembered on this computer for when its server cannot be reached."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nodes.core.store.away.identity import Identity, Remembered

FIRST = Identity(b"\x01" * 32, ("a", "b"))
SECOND = Identity(b"\x02" * 32, ())


def test_each_record_has_its_own(tmp_path: Path) -> None:
    here, there = Remembered(tmp_path, "host-a/jobs"), Remembered(tmp_path, "host-b/jobs")
    assert here.read() is None
    here.write(FIRST)
    there.write(SECOND)
    assert (here.read(), there.read()) == (FIRST, SECOND)
    here.write(SECOND)
    assert here.read() == SECOND, "the last one, where a server got another record"
    assert len(list(tmp_path.iterdir())) == 2, "and nothing beside them"


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    Remembered(tmp_path, "x").write(FIRST)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"key": "01"}', '{"key": "xyz", "former_accounts": []}'])
def test_what_cannot_be_read_is_as_good_as_none_and_is_replaced(tmp_path: Path, text: str) -> None:
    remembered = Remembered(tmp_path, "x")
    remembered.write(FIRST)
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    assert remembered.read() is None
    remembered.write(FIRST)
    assert remembered.read() == FIRST


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path, "x")
    remembered.write(FIRST)
    (path,) = tmp_path.iterdir()
    before = path.stat().st_ino
    remembered.write(FIRST)
    assert path.stat().st_ino == before


def test_a_folder_that_cannot_be_written_is_no_failure_and_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    remembered = Remembered(tmp_path, "x")
    remembered.write(FIRST)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(Path, "replace", full)
        remembered.write(SECOND)
    assert "No space left" in caplog.text and FIRST.key.hex() not in caplog.text
    assert remembered.read() == FIRST and len(list(tmp_path.iterdir())) == 1, "no draft is left"
    Remembered(tmp_path / "nowhere", "x").write(FIRST)
