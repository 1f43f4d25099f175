"""The kept originals: all or none, the least recently used out first, never half of a job."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from pathlib import Path

import pytest
import torch
from hurry import wait_until
from support import TEXT_TO_IMAGE, Interrupted, Runner

from emulator import Emulator, Fault
from nodes.core.store.file_cache import FileCache

FOLDER_NAME = "kept"
FILES = [b"one" * 100, b"two" * 100]
A, B, C, D = (name * 24 for name in "abcd")


def put(kept: FileCache, name: str, files: list[bytes]) -> None:
    writer = kept.writer(name)
    for index, data in enumerate(files):
        writer.add(index, data)
    writer.commit()
    writer.close()


def contents(kept: FileCache, name: str) -> list[bytes]:
    return [path.read_bytes() for path in kept.get(name).values()]


def test_what_was_put_is_had_again_in_order(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 10_000)
    many = [bytes([number]) * 9 for number in range(16)]
    put(kept, A, many)
    assert contents(kept, A) == many
    assert kept.get(B) == {}
    assert contents(FileCache(tmp_path / FOLDER_NAME, 10_000), A) == many, "after a restart, too"


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 3 * 600)
    for age, name in enumerate((A, B, C)):
        put(kept, name, FILES)
        os.utime(tmp_path / FOLDER_NAME / name, (1000 + age, 1000 + age))
    kept.get(A)
    put(kept, D, FILES)
    assert [name for name in (A, B, C, D) if kept.get(name)] == [A, C, D]


def test_what_else_lies_in_a_folder_that_a_person_chose_is_left_alone(tmp_path: Path) -> None:
    chosen = tmp_path / FOLDER_NAME
    theirs = [chosen / name / "beach.png" for name in ("2019 holidays", ".ssh", "cafe", "render-0001")]
    for path in theirs:
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(5000))
        os.utime(path.parent, (1000, 1000))
    (chosen / "notes.txt").write_text("theirs")
    kept = FileCache(chosen, 1000)
    for name in (A, B, "0123456789abcdef-7", "unrecorded-r_1-2", f"{C}.4711.{'d' * 16}"):
        put(kept, name, FILES)
    assert all(path.read_bytes() == bytes(5000) for path in theirs)
    assert len(list(chosen.iterdir())) == len(theirs) + 2, "one of the pack's own fits"


def test_what_is_larger_than_all_room_is_not_kept_and_pushes_nothing_out(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 1000)
    put(kept, A, FILES)
    put(kept, B, [bytes(1001)])
    put(kept, B, [bytes(501), bytes(500)])
    assert contents(kept, A) == FILES and kept.get(B) == {}


def test_nothing_is_found_before_all_of_it_is_there_and_a_discarded_draft_leaves_nothing(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 1000)
    writer = kept.writer(A)
    writer.add(0, b"one")
    assert kept.get(A) == {}
    writer.close()
    writer.add(1, b"two")
    writer.commit()
    writer.close()
    assert kept.get(A) == {} and list((tmp_path / FOLDER_NAME).iterdir()) == []


def test_an_entry_that_had_to_give_way_while_it_was_written_is_not_kept_in_part(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 700)
    slow = kept.writer(A)
    slow.add(0, FILES[0])
    put(kept, B, FILES)
    slow.add(1, FILES[1])
    slow.commit()
    slow.close()
    assert kept.get(A) == {} and contents(kept, B) == FILES


def test_twins_that_begin_at_the_same_moment_have_drafts_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic_ns", lambda: 1)
    kept = FileCache(tmp_path / FOLDER_NAME, 10_000)
    first, second = kept.writer(A), kept.writer(A)
    first.add(0, b"one")
    second.add(1, b"two")
    first.close()
    second.add(0, b"one")
    second.commit()
    assert contents(kept, A) == [b"one", b"two"]


def test_a_draft_that_is_closed_while_it_is_kept_is_whole_or_not_there(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 10_000)
    for _ in range(200):
        writer = kept.writer(A)
        for index, data in enumerate(FILES):
            writer.add(index, data)
        threads = [threading.Thread(target=end) for end in (writer.commit, writer.close)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert contents(kept, A) in ([], FILES)


def test_a_kept_copy_that_is_not_whole_is_not_handed_out(runner: Runner, api: Emulator) -> None:
    runner.text_to_image(num_images=3, resolution="0.5K")
    [second] = (runner.state / FOLDER_NAME).glob("*/01")
    second.unlink()
    batches, *_ = runner.text_to_image(num_images=3, resolution="0.5K")
    assert [len(batch) for batch in batches] == [3]
    assert len(api.jobs) == 1 and api.count("file") == 4, "the one that is not there is fetched, and no other"


def test_what_else_lies_in_a_kept_folder_is_not_the_packs(runner: Runner, api: Emulator) -> None:
    first = runner.text_to_image(num_images=2, resolution="0.5K")
    [folder] = (runner.state / FOLDER_NAME).iterdir()
    for name in (".DS_Store", "Thumbs.db", "00.png", "100", "\u0660\u0661"):
        (folder / name).write_bytes(b"not an image")
    calls = len(api.calls)
    again = runner.text_to_image(num_images=2, resolution="0.5K")
    assert torch.equal(again[0][0], first[0][0]) and again[1:] == first[1:]
    assert len(api.calls) == calls


def test_nothing_of_a_fetch_that_ended_early_stays(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("file", after=1, hang=30.0))

    async def run() -> None:
        task = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="a fox", num_images=2, resolution="0.5K"))
        while not task.done():
            runner.host.stop_now = bool(runner.host.reports) and runner.host.last.done == 1
            await asyncio.sleep(0.01)
        await task

    with pytest.raises(Interrupted):
        asyncio.run(run())
    wait_until(lambda: list((runner.state / FOLDER_NAME).iterdir()) == [])


def test_a_disk_that_cannot_be_written_costs_the_copy_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER_NAME).touch()
    kept = FileCache(tmp_path / FOLDER_NAME, 1000)
    put(kept, A, FILES)
    assert kept.get(A) == {}
    # The host's log may get the line with the pack's name before it: the same line, of the same moment.
    assert len({record.created for record in caplog.records}) == 1, "said once"
    assert f"{A} is not kept:" in caplog.text


def test_putting_again_replaces(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 1000)
    put(kept, A, FILES)
    put(kept, A, [b"new"])
    assert contents(kept, A) == [b"new"]
    assert [path.name for path in (tmp_path / FOLDER_NAME).iterdir()] == [A], "nothing is left over"


def test_a_job_goes_at_one_stroke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 1000)
    put(kept, A, FILES)
    remove, seen = shutil.rmtree, []

    def slowly(folder: Path, ignore_errors: bool = False) -> None:
        seen.append(len(list((tmp_path / FOLDER_NAME / A).glob("*"))))
        remove(folder, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", slowly)
    put(kept, B, [bytes(900)])
    assert seen and set(seen) <= {0, 2}, "never half of its images"
    assert 0 in seen


def test_threads_that_put_the_same_leave_it_whole(tmp_path: Path) -> None:
    kept = FileCache(tmp_path / FOLDER_NAME, 100_000)

    def put_often() -> None:
        for _ in range(20):
            put(kept, A, FILES)

    threads = [threading.Thread(target=put_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(kept, A) == FILES
    assert [path.name for path in (tmp_path / FOLDER_NAME).iterdir()] == [A]


def test_only_the_owner_can_look_inside(tmp_path: Path) -> None:
    put(FileCache(tmp_path / FOLDER_NAME, 1000), A, FILES)
    assert (tmp_path / FOLDER_NAME).stat().st_mode & 0o777 == 0o700


def test_with_zero_nothing_is_kept_and_nothing_is_paid_twice(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_MB", "0")
    first = runner.text_to_image(resolution="0.5K")
    assert not (runner.state / FOLDER_NAME).exists()
    again = runner.text_to_image(resolution="0.5K")
    assert first[1:] == again[1:] and len(api.jobs) == 1 and api.count("file") == 2
    assert "kept copy" not in runner.host.text
