"""What a process owes the record, on the disk: whoever takes it over finds all of it in order, or the beginning."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.core.store.away.owed import OwedWrites, Write

LOST = Write(1, "a name", ("submitting",), {"state": "lost"})
RELEASED = Write(1, "a name", ("preparing", "submitting"))
ENDED = Write(2, "another", ("submitted",), {"state": "failed"})


@pytest.fixture
def owed_by(tmp_path: Path) -> Callable[[str], OwedWrites]:
    return lambda process: OwedWrites(tmp_path / "owed", "record", process)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let files be opened, or not."""
    real = os.open

    def full(*_values: object, **_options: object) -> int:
        raise OSError(28, "No space left on device")

    return lambda works: monkeypatch.setattr(os, "open", real if works else full)


def taken_over(owed_by: Callable[[str], OwedWrites]) -> tuple[Write, ...]:
    following = owed_by("next")
    following.take_over(lambda _: False)
    return tuple(replace(write, states=tuple(write.states)) for write in following.pending)


def test_what_comes_later_is_not_found_without_what_the_disk_could_not_hold(
    owed_by: Callable[[str], OwedWrites], disk: Callable[[bool], None]
) -> None:
    owed = owed_by("first")
    disk(False)
    owed.add(LOST)
    disk(True)
    owed.add(RELEASED)
    owed.add(ENDED)
    assert owed.pending == (LOST, RELEASED, ENDED)
    assert taken_over(owed_by) == (LOST, RELEASED, ENDED)


def test_what_the_record_has_is_not_found_any_more(owed_by: Callable[[str], OwedWrites]) -> None:
    owed = owed_by("first")
    owed.add(LOST)
    owed.add(ENDED)
    owed.settled((LOST,))
    assert taken_over(owed_by) == (ENDED,)


def test_what_was_taken_over_is_taken_over_once(owed_by: Callable[[str], OwedWrites], tmp_path: Path) -> None:
    owed_by("first").add(LOST)
    second = owed_by("second")
    second.take_over(lambda _: False)
    second.add(ENDED)
    second.settled((LOST,))
    assert taken_over(owed_by) == (ENDED,)
    third = owed_by("third")
    third.take_over(lambda _: False)
    third.settled((ENDED,))
    assert list((tmp_path / "owed").iterdir()) == []


def test_a_write_that_was_cut_off_is_made_anew(
    owed_by: Callable[[str], OwedWrites], disk: Callable[[bool], None], tmp_path: Path
) -> None:
    owed = owed_by("first")
    owed.add(LOST)
    disk(False)
    owed.add(RELEASED)
    disk(True)
    # As where the disk was full in the midst of a line.
    with (tmp_path / "owed" / "record.first.jsonl").open("a") as file:
        file.write('{"id": 1, "name"')
    owed.add(ENDED)
    assert taken_over(owed_by) == (LOST, RELEASED, ENDED)
