"""A node whose job goes on after its process was killed is told of after the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.comfyui.left_running import FILE_NAME, LeftRunning
from nodes.comfyui.node_status import NodeLocation, NodeStatusStore
from nodes.core import threads
from nodes.core.jobs.progress import Progress, Stage

PLACE = NodeLocation("7", "RunComfyX", "p", "w", inputs={"prompt": "a secret wish"})
RUNNING = Progress(Stage.RUNNING, request_id="abc")


def process(folder: Path) -> NodeStatusStore:
    """The states of a process that has just started."""
    return NodeStatusStore(LeftRunning(lambda: folder))


def waiting(store: NodeStatusStore) -> list[tuple[str, str | None]]:
    return [(state.place.node, state.progress.request_id) for state in store.all() if state.waits]


def test_a_job_that_was_left_is_told_after_every_start_until_its_node_runs_again(tmp_path: Path) -> None:
    process(tmp_path).put(PLACE, RUNNING)
    threads.finish()
    assert "secret" not in (tmp_path / FILE_NAME).read_text(encoding="utf-8"), "inputs are the record's to keep"
    other = process(tmp_path)
    other.put(NodeLocation("8", "RunComfyX", "q", "w"), Progress(Stage.RUNNING, request_id="def"))
    threads.finish()
    last = process(tmp_path)
    assert waiting(last) == [("7", "abc"), ("8", "def")]
    assert last.all()[0].payload()["type"] == "RunComfyX"
    last.put(PLACE, Progress(Stage.PREPARING))
    threads.finish()
    assert waiting(process(tmp_path)) == [("8", "def")]


@pytest.mark.parametrize("end", [Stage.DELIVERED, Stage.FAILED, Stage.STOPPED])
def test_a_job_that_has_ended_is_not_left(tmp_path: Path, end: Stage) -> None:
    store = process(tmp_path)
    store.put(PLACE, RUNNING)
    store.put(PLACE, Progress(end, request_id="abc"))
    threads.finish()
    assert process(tmp_path).all() == []


def test_a_stopped_node_waits_for_nothing(tmp_path: Path) -> None:
    store = process(tmp_path)
    store.put(PLACE, RUNNING)
    store.stop(PLACE)
    threads.finish()
    assert process(tmp_path).all() == []


def test_progress_alone_writes_nothing(tmp_path: Path) -> None:
    store = process(tmp_path)
    store.put(PLACE, RUNNING)
    threads.finish()
    (tmp_path / FILE_NAME).unlink()
    store.put(PLACE, Progress(Stage.RUNNING, request_id="abc", seconds=5.0))
    threads.finish()
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"node": "7"}]', "null"])
def test_a_damaged_file_ends_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    store = process(tmp_path)
    assert store.all() == []
    store.put(PLACE, RUNNING)
    threads.finish()
    assert waiting(process(tmp_path)) == [("7", "abc")]


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = process(tmp_path / "file")
    store.put(PLACE, RUNNING)
    threads.finish()
    assert waiting(store) == [("7", "abc")]
