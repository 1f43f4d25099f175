"""A model changes at its provider: nobody pays for a body that it does not take, and nobody is stopped in vain."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hurry import wait_until
from offers import IMAGE, IMAGES, integer, offer, one_of, schema, text
from support import PRO_EDIT, TEXT_TO_IMAGE, Runner, image

from emulator import Emulator, Fault
from nodes.app.catalogue import live
from nodes.app.catalogue.door import CatalogueDoor
from nodes.app.catalogue.here import HERE
from nodes.app.catalogue.live import LiveEntries
from nodes.app.catalogue.permission import allow_as_it_is, is_sent_as_it_is
from nodes.app.run import current_settings
from nodes.app.service import open_service
from nodes.core import threads
from nodes.core.errors import ModelChanged, PackError, Rejected
from nodes.core.schema.document import JSON
from nodes.core.schema.model import ModelSpec

MODEL = "acme/pixel-1.5/text-to-image"
PROMPT = text()
BEFORE = schema("prompt", prompt=PROMPT, size=one_of("1024x1024", "512x512"))


def door(runner: Runner) -> CatalogueDoor:
    service = open_service(current_settings(runner.host))
    return CatalogueDoor(runner.state, runner.api.base_url, service, None)


def added(runner: Runner, published: dict[str, Any], model_id: str = MODEL) -> ModelSpec:
    """Offer a model, and add it here."""
    offer(runner.api, model_id, published)
    found = door(runner).add([model_id])[model_id]
    assert isinstance(found, ModelSpec), found
    return found


def changed(runner: Runner, published: dict[str, Any], model_id: str = MODEL) -> None:
    """Let the provider change a model, and a later process find out."""
    offer(runner.api, model_id, published)
    runner.restart()
    HERE.load(runner.state)


def submissions(api: Emulator) -> int:
    return sum(call.what == "submit" for call in api.calls)


# name: before, now, what is given, which properties are named
REFUSED = {
    "size replaced": (
        BEFORE,
        schema(
            "prompt", prompt=PROMPT, aspect_ratio=one_of("1:1"), resolution=one_of("1K"), quality=one_of("high")
        ),
        {},
        "size",
    ),
    "an image renamed": (
        schema("prompt", "image_url", prompt=PROMPT, image_url=IMAGE),
        schema("prompt", "start_image_url", prompt=PROMPT, start_image_url=IMAGE),
        {"image": image()},
        "image_url, start_image_url",
    ),
    "an array renamed": (
        schema("prompt", "image_urls", prompt=PROMPT, image_urls=IMAGES),
        schema("prompt", "images", prompt=PROMPT, images=IMAGES),
        {"image_1": image(), "image_2": image(seed=1)},
        "image_urls, images",
    ),
    "bounds narrowed": (
        schema("prompt", prompt=PROMPT, duration=integer(2, 15, 12)),
        schema("prompt", prompt=PROMPT, duration=integer(4, 10, 5)),
        {},
        "duration",
    ),
    "fewer files": (
        schema("prompt", "image_urls", prompt=PROMPT, image_urls=IMAGES),
        schema("prompt", "image_urls", prompt=PROMPT, image_urls={**IMAGES, "maxItems": 1}),
        {"image_1": image(), "image_2": image(seed=1)},
        "image_urls",
    ),
    "a choice gone": (BEFORE, schema("prompt", prompt=PROMPT, size=one_of("512x512")), {}, "size"),
    "one more required": (BEFORE, schema("prompt", "style", **BEFORE["properties"], style=text()), {}, "style"),
}
ALLOWED = {
    "texts and order": schema(
        "prompt", size={**one_of("512x512", "1024x1024"), "title": "S"}, prompt=text(title="P")
    ),
    "an input more": schema("prompt", **BEFORE["properties"], style=text()),
    "a choice more": schema("prompt", prompt=PROMPT, size=one_of("512x512", "1024x1024", "4K")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_model_does_not_take_is_refused_before_anything_is_sent(runner: Runner, name: str) -> None:
    before, now, given, properties = REFUSED[name]
    spec = added(runner, before)
    changed(runner, now)
    with pytest.raises(ModelChanged) as raised:
        runner.run(spec, prompt="a fox", **given)
    failure = raised.value.failure
    assert (failure.kind, failure.charge.value, failure.note.params["properties"]) == (
        "model_changed",
        "no",
        properties,
    )
    assert [one.params["field"] for one in failure.items] == properties.split(", ")
    assert [one.kind for one in failure.next] == ["next.update_model", "next.send_as_is"]
    assert submissions(runner.api) == 0 and runner.api.billed == []
    # No claim is left behind: the next run asks again, and is refused as this one was.
    threads.finish()
    assert runner.jobs() == []


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_still_allowed_runs_and_is_told_once(runner: Runner, name: str) -> None:
    spec = added(runner, BEFORE)
    changed(runner, ALLOWED[name])
    for prompt in ("a fox", "a cat"):
        runner.run(spec, prompt=prompt)
    delivered = [one for one in runner.host.reports if one.stage.value == "delivered"]
    told = [any(one.kind == "note.model_changed" for one in report.notes) for report in delivered]
    assert len(runner.api.billed) == 2
    assert told == [name != "texts and order", False]


def test_updating_is_the_way_out_and_one_version_stands_beside_the_other(runner: Runner) -> None:
    spec = added(runner, BEFORE)
    changed(runner, REFUSED["size replaced"][1])
    with pytest.raises(ModelChanged):
        runner.run(spec, prompt="a fox")
    made = door(runner).update(MODEL)
    newest = HERE.model(MODEL)
    assert newest and made["node_id"] == spec.node_id == newest.node_id
    assert [each.serialized[:2] for each in HERE.versions(MODEL)] == [
        ("prompt", "aspect_ratio"),
        ("prompt", "size"),
    ]
    runner.run(newest, prompt="a fox")
    assert [job.body for job in runner.api.billed] == [
        {"prompt": "a fox", "aspect_ratio": "1:1", "resolution": "1K", "quality": "high"}
    ]


@pytest.mark.parametrize("way", ["page", "variable"])
def test_a_person_may_send_it_as_it_is(runner: Runner, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = added(runner, BEFORE)
    runner.api.validation = "lenient"
    changed(runner, REFUSED["size replaced"][1])
    if way == "page":
        door(runner).send_as_it_is(MODEL, allow=True)
        assert (runner.state / "as_it_is.json").stat().st_mode & 0o77 == 0
    else:
        monkeypatch.setenv("RUNCOMFY_AS_IT_IS", f"other/model/x, {MODEL}")
    runner.run(spec, prompt="a fox")
    assert [job.body for job in runner.api.billed] == [{"prompt": "a fox", "size": "1024x1024"}]
    assert "sent as they are" in runner.host.last.text()
    if way == "page":
        door(runner).send_as_it_is(MODEL, allow=False)
        with pytest.raises(ModelChanged):
            runner.run(spec, prompt="another fox")


def test_a_permission_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    allow_as_it_is(tmp_path, MODEL, allow=True)
    assert is_sent_as_it_is({}, tmp_path, MODEL) and not is_sent_as_it_is({}, tmp_path, "a/b")
    (tmp_path / "as_it_is.json").write_text("[[")
    assert not is_sent_as_it_is({}, tmp_path, MODEL)


def test_what_was_paid_for_is_handed_out_whatever_has_changed(runner: Runner) -> None:
    spec = added(runner, BEFORE)
    first = runner.run(spec, prompt="a fox")
    changed(runner, REFUSED["size replaced"][1])
    assert runner.run(spec, prompt="a fox")[2] == first[2]
    assert len(runner.api.billed) == 1


@pytest.mark.parametrize("fault", [Fault("catalog", status=500, times=99), Fault("catalog", status=404, times=99)])
def test_a_catalogue_that_cannot_be_read_stops_nobody(runner: Runner, fault: Fault) -> None:
    spec = added(runner, BEFORE)
    runner.restart()
    HERE.load(runner.state)
    runner.api.fault(fault)
    runner.run(spec, prompt="a fox")
    assert len(runner.api.billed) == 1


def test_an_entry_without_a_readable_schema_stops_nobody(runner: Runner) -> None:
    spec = added(runner, BEFORE)
    runner.api.validation = "lenient"
    changed(runner, {"type": "object", "properties": {}})
    runner.run(spec, prompt="a fox")
    assert len(runner.api.billed) == 1


def test_a_catalogue_that_hangs_holds_up_a_run_for_a_moment_only(runner: Runner, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "WAIT_SECONDS", 0.2)
    runner.api.fault(Fault("catalog", hang=5.0, times=99))
    runner.run(TEXT_TO_IMAGE, prompt="a fox")
    assert len(runner.api.billed) == 1


def test_a_run_waits_behind_nothing_that_the_page_asks_for(runner: Runner) -> None:
    spec = added(runner, BEFORE)
    changed(runner, REFUSED["size replaced"][1])
    entries = open_service(current_settings(runner.host)).entries
    runner.api.fault(Fault("catalog", hang=3.0, times=4))
    with ThreadPoolExecutor() as pool:
        told = pool.submit(entries.told, [*(f"acme/slow-{number}" for number in range(4)), MODEL])
        wait_until(lambda: runner.api.count("catalog") >= 4, 5)
        with pytest.raises(ModelChanged):
            runner.run(spec, prompt="a fox")
        assert not told.done()
        asked = runner.api.count("catalog")
        assert told.result()[MODEL].structure
        # The page takes what the run was told.
        assert runner.api.count("catalog") == asked


def test_runs_that_ask_at_once_make_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(model_id: str) -> dict[str, JSON]:
        asked.append(model_id)
        return {}

    begun = threading.Event()
    monkeypatch.setattr(threads, "ENTRIES", threads.Abandonable("entries", 1))
    threads.ENTRIES.start(begun.wait)
    entries = LiveEntries(ask)
    answers = [entries.for_run(MODEL) for _ in range(2)]
    begun.set()
    for answer in answers:
        answer.result()
    assert asked == [MODEL]


def test_what_the_api_refuses_lets_the_next_run_look_anew(runner: Runner) -> None:
    spec = added(runner, BEFORE)
    runner.run(spec, prompt="a fox")
    offer(runner.api, MODEL, REFUSED["size replaced"][1])
    with pytest.raises(Rejected, match="Charged: no"):
        runner.run(spec, prompt="a cat")
    with pytest.raises(ModelChanged):
        runner.run(spec, prompt="a cat")
    assert len(runner.api.billed) == 1


def test_the_models_of_the_seeds_run_beside_their_entries(runner: Runner) -> None:
    runner.text_to_image()
    runner.run(PRO_EDIT, prompt="blue", image_1=image())
    notes = [one.kind for report in runner.host.reports for one in report.notes]
    assert len(runner.api.billed) == 2 and "note.model_changed" not in notes


def test_a_model_of_the_pack_is_checked_too_and_can_be_updated(runner: Runner) -> None:
    known = runner.api.models[TEXT_TO_IMAGE.model_id].input_schema
    fewer = {name: one for name, one in known["properties"].items() if name != "enable_web_search"}
    changed(runner, {**known, "properties": fewer}, TEXT_TO_IMAGE.model_id)
    with pytest.raises(ModelChanged, match="enable_web_search"):
        runner.text_to_image()
    door(runner).update(TEXT_TO_IMAGE.model_id)
    newest = HERE.model(TEXT_TO_IMAGE.model_id)
    assert newest and (newest.node_id, newest.command) == (TEXT_TO_IMAGE.node_id, "text-to-image")
    assert set(TEXT_TO_IMAGE.serialized) - set(newest.serialized) == {"enable_web_search"}
    runner.run(newest, prompt="a fox")
    # Without its update the node is the pack's again.
    assert door(runner).remove([TEXT_TO_IMAGE.model_id])[TEXT_TO_IMAGE.model_id]
    assert HERE.model(TEXT_TO_IMAGE.model_id) == TEXT_TO_IMAGE


@pytest.mark.parametrize("on_failure", ["stop", "skip"])
def test_of_a_list_only_what_the_model_still_takes_is_sent(runner: Runner, on_failure: str) -> None:
    spec = added(runner, BEFORE)
    changed(runner, REFUSED["a choice gone"][1])
    sizes = ["512x512", "1024x1024", "512x512"]
    values: dict[str, list[object]] = {"prompt": ["a", "b", "c"], "size": [*sizes], "on_failure": [on_failure]}
    if on_failure == "skip":
        runner.run_list(spec, **values)
    else:
        with pytest.raises(PackError, match="size"):
            runner.run_list(spec, **values)
    threads.finish()
    assert {job.body["size"] for job in runner.api.jobs} <= {"512x512"}
    if on_failure == "skip":
        assert len(runner.api.billed) == 2
