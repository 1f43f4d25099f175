"""What is kept of a run's inputs beside its job, and what is not."""

from __future__ import annotations

import json

import pytest
from hurry import service
from support import Runner, image

from nodes.core.request.recorded import MAX_TEXT, REMOVED, without_secrets
from nodes.core.schema.kind import INT32_MAX
from nodes.core.store import history, inputs
from nodes.core.store.history import Entry, Wanted
from nodes.core.store.job import JobInputs

TOKEN = "tok-5ecret/Aa1"


def newest() -> tuple[Entry, JobInputs | None]:
    journal = service().journal
    (entry,) = journal.read(lambda db, owner: history.page(db, owner, Wanted(), 1))
    return entry, journal.read(lambda db, _: inputs.of_job(db, entry.job.id))


def test_widgets_are_kept_by_name_and_media_by_hash(runner: Runner) -> None:
    address = "https://files.example.com/a.png"
    pixels = image()
    runner.pro_edit("make it blue", image_2=pixels, image_urls=address, rerun_seed=3, num_images=2)
    entry, found = newest()
    assert found is not None
    assert found.scalars["image_urls"] == address
    assert (found.prompt, found.seed, found.scalars["num_images"]) == ("make it blue", 3, 2)
    assert [socket for socket, _ in found.media] == ["image_2"]
    assert len(found.media[0][1]) == 64
    assert (entry.job.kind, entry.job.node_id) == ("image", "RunComfyNanoBananaProEdit")
    runner.pro_edit("another", image_1=pixels)
    _, again = newest()
    assert again is not None and again.media[0][1] == found.media[0][1]


def test_a_seed_is_kept_as_it_was_sent(runner: Runner) -> None:
    runner.text_to_image(seed=INT32_MAX + 6)
    entry, found = newest()
    assert entry.seed == 5 and found is not None and found.scalars["seed"] == 5


def test_a_text_that_is_too_long_is_left_out_whole(runner: Runner) -> None:
    runner.text_to_image("x" * (MAX_TEXT + 1), seed=1)
    _, found = newest()
    assert found is not None and found.prompt == "" and "prompt" not in found.scalars


def test_with_the_setting_off_nothing_is_kept(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_INPUTS", "0")
    runner.text_to_image("a fox")
    entry, found = newest()
    assert (entry.prompt, entry.seed, found) == ("", None, None)


def test_takes_differ_in_their_seed_alone(runner: Runner) -> None:
    for seed in (1, 2):
        runner.text_to_image(seed=seed)
    runner.text_to_image(seed=2, aspect_ratio="1:1")
    for rerun_seed in (0, 1):
        runner.pro_edit(image_1=image(), rerun_seed=rerun_seed)
    runner.pro_edit(image_1=image(seed=9))
    journal = service().journal
    takes = [journal.read(lambda db, _, id=job.id: history.take_of(db, id)) for job in reversed(runner.jobs())]
    assert takes[0] == takes[1] != takes[2]
    assert takes[3] == takes[4] != takes[5]
    assert len(set(takes)) == 4


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a fox at 50 % of its size", "a fox at 50 % of its size"),
        (f"say {TOKEN} and tok-5ecret%2FAa1", "say [token] and [token]"),
        ("see https://user:pass@example.com/x.png now", f"see https://{REMOVED}@example.com/x.png now"),
        ("https://example.com/x.png?sig=abc&e=1", f"https://example.com/x.png?{REMOVED}"),
        (
            "https://a.example/1.png#t\nhttps://b.example/2.png",
            f"https://a.example/1.png#{REMOVED}\nhttps://b.example/2.png",
        ),
        ("x data:image/png;base64,iVBORw0KGgo= y", f"x {REMOVED} y"),
        (7, 7),
        (True, True),
    ],
)
def test_secrets_and_contents_are_taken_out(text: str | int, kept: str | int) -> None:
    assert without_secrets(text, TOKEN) == kept
    assert json.dumps(kept)
