"""Where files go: folders, names and patterns; nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.core.errors import InvalidInput
from nodes.shell.saving import Made, Place

MADE = Made("text-to-image", "text-to-image", seed="7", request_id="r-1", first=3)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.d").mkdir()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = []
    for number, suffix in enumerate((".png", ".jpg")):
        path = tmp_path / "lent" / f"{number}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"file {number}".encode())
        found.append(path)
    return found


@pytest.mark.parametrize(
    ("out", "names"),
    [
        ("output", ["output/text-to-image-r-1-1.png", "output/text-to-image-r-1-2.jpg"]),
        ("fox.d/", ["fox.d/text-to-image-r-1-1.png", "fox.d/text-to-image-r-1-2.jpg"]),
        ("there.d", ["there.d/text-to-image-r-1-1.png", "there.d/text-to-image-r-1-2.jpg"]),
        ("v1.2", ["v1.2/text-to-image-r-1-1.png", "v1.2/text-to-image-r-1-2.jpg"]),
        ("a/fox.png", ["a/fox.png", "a/fox-2.png"]),
        ("{index:03}.png", ["003.png", "004.png"]),
        ("{model}/{seed}-{index}-{request_id}", ["text-to-image/7-3-r-1.png", "text-to-image/7-4-r-1.jpg"]),
        ("{model}/", ["text-to-image/text-to-image-r-1-1.png", "text-to-image/text-to-image-r-1-2.jpg"]),
        ("{{x}}-{index}.png", ["{x}-3.png", "{x}-4.png"]),
    ],
)
def test_a_place_is_a_folder_a_name_or_a_pattern(out: str, names: list[str], files: list[Path]) -> None:
    place = Place(out)
    place.require()
    saved = place.save(files, MADE)
    assert [path.as_posix() for path in saved] == names
    assert [path.read_bytes() for path in saved] == [b"file 0", b"file 1"]
    assert place.save(files, MADE) == saved, "what is there already, byte for byte, stays"


def test_what_is_there_is_never_overwritten(files: list[Path]) -> None:
    Path("fox.png").write_bytes(b"a person's own")
    assert Place("fox.png").save(files[:1], MADE) == [Path("fox-2.png")]
    assert Path("fox.png").read_bytes() == b"a person's own"
    Path("fox-2.png").write_bytes(b"edited")
    assert Place("fox.png").save(files[:1], MADE) == [Path("fox-3.png")]


def test_a_name_that_tells_another_type_is_kept_and_told(files: list[Path]) -> None:
    place = Place("fox.jpeg")
    saved = place.save(files, MADE)
    assert [str(told) for told in place.notes(files, saved)] == [
        "fox.jpeg holds a file of the type PNG, whatever its name ends in"
    ]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("{prompt}.png", r"\{prompt\} stands for nothing\. The values are \{model\}, \{seed\}"),
        ("{model.__class__}", "stands for nothing"),
        ("{}", "stands for nothing"),
        ("{index", "the pattern cannot be read"),
        ("{model:d}", "the pattern cannot be read"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(out: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Place(out)


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_paid_for() -> None:
    Path("file").write_text("a file")
    with pytest.raises(InvalidInput, match="--out: file cannot be made a folder"):
        Place("file/{index}.png").require()
