"""What came is compared with what was asked for, with room for a model's nominal sizes."""

from __future__ import annotations

import pytest
from properties import given, st
from support import TEXT_TO_IMAGE, Runner

from emulator import Emulator, Fault
from nodes.core.request.delivered import differences
from nodes.core.request.request import EncodedRequest, Request
from nodes.core.store.job import NewJob


def request(count: int = 1, size: str = "1K", pixels: int = 2**20, shape: str = "16:9") -> Request:
    return Request(
        NewJob("f", "a", "m", size, count), count, pixels * count, lambda: EncodedRequest(b""), shape=shape
    )


# Sizes of models of the catalogue for one size and shape, and close relatives of the ratio.
@pytest.mark.parametrize("size", [(1376, 768), (1344, 768), (1280, 720), (1365, 768), (1408, 800)])
def test_nominal_sizes_are_what_was_asked_for(size: tuple[int, int]) -> None:
    assert differences(request(), 1, [size]) == ()


def test_another_size_or_shape_is_told_once_with_what_was_asked_for() -> None:
    told = differences(request(count=2), 2, [(1024, 1024), (1024, 1024)])
    assert [str(each) for each in told] == ["Asked for the aspect ratio 16:9; the image has 1024x1024 pixels."]
    told = differences(request(size="4K", pixels=2**24), 1, [(1376, 768)])
    assert [str(each) for each in told] == ["Asked for 4K; the image has 1376x768 pixels."]


def test_the_count_is_told_both_ways() -> None:
    assert [each.kind for each in differences(request(count=3), 2, [])] == ["note.fewer_images"]
    assert [each.kind for each in differences(request(count=3), 4, [])] == ["note.more_images"]


@given(st.integers(1, 8192), st.integers(1, 8192), st.sampled_from(["", "auto", "portrait", "0:1", "1:0"]))
def test_what_the_model_decides_is_never_another(width: int, height: int, shape: str) -> None:
    assert differences(request(pixels=0, shape=shape), 1, [(width, height)]) == ()


def test_a_run_tells_it(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", sizes=[(512, 512)]))
    runner.run(TEXT_TO_IMAGE, prompt="a fox", aspect_ratio="16:9", resolution="1K")
    assert {each.kind for each in runner.host.last.notes} == {"note.other_shape", "note.other_size"}
    runner.run(TEXT_TO_IMAGE, prompt="a crow", aspect_ratio="16:9", resolution="1K")
    assert runner.host.last.notes == (), "the emulator's own sizes are nominal ones"
    assert len(api.billed) == 2
