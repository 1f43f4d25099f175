"""The live catalogue: read in pages, kept, searched; models of it added, shared, and checked."""

from __future__ import annotations

import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hurry import wait_until
from offers import IMAGE, IMAGES, PRICE, integer, offer, one_of, schema, text, withdraw
from support import MODELS, TEXT_TO_IMAGE, Runner, image

from emulator import Emulator, Fault
from nodes.app.catalogue import listing, live
from nodes.app.catalogue.door import CatalogueDoor
from nodes.app.catalogue.here import HERE, ModelsHere
from nodes.app.catalogue.permission import is_sent_as_it_is
from nodes.app.run import current_settings
from nodes.app.service import open_service
from nodes.core.errors import PackError
from nodes.core.schema.live.update import updated_document
from nodes.core.schema.model import ModelSpec
from nodes.core.schema.registry import MAX_FILE_BYTES

PIXEL = "acme/pixel-1.5/text-to-image"
MOVE = "acme/move_2/image-to-video"
SCHEMA = schema("prompt", prompt=text(), size=one_of("1:1", "2:1"), seed={"type": "integer"})


@pytest.fixture
def door(runner: Runner) -> CatalogueDoor:
    offer(runner.api, PIXEL, SCHEMA)
    offer(runner.api, MOVE, schema("prompt", "image", prompt=text(), image=IMAGE, more_images=IMAGES), "video")
    return opened(runner)


def opened(runner: Runner) -> CatalogueDoor:
    return CatalogueDoor(runner.state, runner.api.base_url, open_service(current_settings(runner.host)), None)


def ids(found: dict[str, Any]) -> list[str]:
    return [one["model_id"] for one in found["models"]]


def of(door: CatalogueDoor, model_id: str) -> Any:
    return next(one for one in door.search({"search": model_id})["models"] if one["model_id"] == model_id)


def pages(api: Emulator) -> int:
    return sum("/v1/models?" in call.path for call in api.calls)


def test_the_whole_catalogue_is_read_in_pages_and_looked_through(door: CatalogueDoor, api: Emulator) -> None:
    everything = door.search({})
    assert (everything["total"], len(everything["models"])) == (len(MODELS) + 2, 100)
    assert everything["kinds"] == ["audio", "image", "video"] and "Acme" in everything["makers"]
    assert everything["failure"] is None and everything["stale"] is False
    read = pages(api)
    assert read == 3, "the second of two full pages may have not been the last"
    assert ids(door.search({"search": "ACME"})) == [MOVE, PIXEL]
    assert ids(door.search({"search": "acme", "kind": "video"})) == [MOVE]
    assert ids(door.search({"maker": "Acme", "task": "text-to-image"})) == [PIXEL]
    assert ids(door.search({"search": "acme", "offset": 1, "limit": 1})) == [PIXEL]
    assert ids(door.search({"search": "acme", "offset": "x", "limit": -1})) == []
    assert pages(api) == read


def test_what_is_told_of_a_model(door: CatalogueDoor) -> None:
    assert of(door, MOVE) == {
        "model_id": MOVE,
        "name": "Move_2",
        "maker": "Acme",
        "kind": "video",
        "task": "image-to-video",
        "price": PRICE,
        "unit": "second",
        "takes": [
            {"name": "prompt", "kind": "text", "required": True},
            {"name": "image", "kind": "image", "required": True},
            {"name": "more_image", "kind": "image", "required": False},
        ],
        "gives": "video",
        "node_id": "RunComfy_acme__move____2__image_to_video",
        "here": "",
        "changed": False,
        "refused": None,
    }
    shipped = of(door, TEXT_TO_IMAGE.model_id)
    assert (shipped["here"], shipped["node_id"]) == ("pack", TEXT_TO_IMAGE.node_id)


def test_it_is_kept_for_a_day_by_its_owner_alone_and_used_without_the_network(
    door: CatalogueDoor, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.search({})
    kept = runner.state / "catalogue.json"
    assert stat.S_IMODE(kept.stat().st_mode) & 0o77 == 0
    runner.restart()
    asked = pages(runner.api)
    # Another process, which reads the file alone.
    assert listing.Listing(runner.state, runner.api.base_url).get(None)[0].entries.keys() >= {PIXEL, MOVE}
    assert of(opened(runner), PIXEL)["price"] == PRICE and pages(runner.api) == asked
    runner.api.fault(Fault("catalog", status=503, times=99))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 2 * listing.GOOD_SECONDS)
    late = opened(runner).search({"search": "acme"})
    assert (ids(late), late["stale"], late["failure"]["kind"]) == ([MOVE, PIXEL], True, "api_failed")
    # One search after the other does not wait for the network.
    calls = len(runner.api.calls)
    assert opened(runner).search({})["failure"]["kind"] == "api_failed"
    assert len(runner.api.calls) == calls
    runner.api.clear_faults()
    assert opened(runner).search({"refresh": True})["stale"] is False


def test_what_another_account_s_api_told_is_not_used(door: CatalogueDoor, runner: Runner) -> None:
    door.search({})
    assert listing.Listing(runner.state, "https://other.example.com/v1").get(None)[0].entries == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"origin": "x"}', "[" * 100_000, '{"origin": "o", "entries": 3}']
)
def test_a_kept_file_that_cannot_be_read_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "catalogue.json").write_text(content)
    assert listing.Listing(tmp_path, "o").get(None) == (listing.Catalogue(), None)


def test_without_an_account_what_is_kept_is_shown_and_what_is_missing_said(runner: Runner) -> None:
    failure = PackError("token_missing").failure
    found = CatalogueDoor(runner.state, "https://a.example.com/v1", None, failure).search(
        {"search": "nano-banana-2/"}
    )
    assert ids(found) == [TEXT_TO_IMAGE.model_id]
    assert (found["read_at"], found["stale"], found["failure"]["kind"]) == (None, True, "token_missing")


def hostile(payload: Any) -> Any:
    """Put entries of every wrong sort before the good ones."""
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    wrong = [
        None,
        7,
        "entry",
        {},
        {"model_id": 7},
        {"model_id": "../../etc/passwd"},
        {"model_id": "UPPER/case"},
        {"model_id": "a/" + "b" * 200},
        {"model_id": "acme/workflow", "kind": "workflow", "input_schema": SCHEMA},
        {"model_id": "acme/huge", "input_schema": {"properties": {"a": {"description": "x" * MAX_FILE_BYTES}}}},
        {"model_id": "acme/no-schema", "categories": ["text-to-image"]},
        {"model_id": "acme/lists", "categories": 3, "display_name": [], "description": {}, "input_schema": []},
        {"model_id": "acme/deep", "categories": ["text-to-image"], "input_schema": {"properties": {"a": deep}}},
        {"model_id": "acme/surrogate", "categories": ["text-to-image"], "display_name": "a\ud800",
         "input_schema": SCHEMA},
        {"model_id": "acme/reserved", "categories": ["text-to-image"],
         "input_schema": schema(rerun_seed=integer(0, 1, 0))},
        {"model_id": "acme/proto", "categories": ["text-to-image"], "input_schema": schema(constructor=text())},
        {"model_id": "acme/markup", "categories": ["text-to-image"], "display_name": "<img src=x>\n",
         "input_schema": SCHEMA},
        {"model_id": "acme/price", "categories": ["text-to-image"], "base_price_usd": "free", "price_unit": 3,
         "input_schema": SCHEMA},
    ]  # fmt: skip
    return {**payload, "models": [*wrong, *payload["models"]]}


def test_a_bad_entry_costs_that_entry_alone(door: CatalogueDoor, runner: Runner) -> None:
    runner.api.fault(Fault("catalog", edit=hostile))
    found = door.search({"search": "acme"})
    assert found["failure"] is None
    refused = {one["model_id"]: one["refused"] for one in found["models"]}
    names = ("deep", "lists", "markup", "no-schema", "price", "proto", "reserved", "surrogate")
    assert sorted(refused) == sorted([PIXEL, MOVE, *(f"acme/{name}" for name in names)])
    assert [name for name, failure in refused.items() if failure is None] == [MOVE, PIXEL, "acme/price"]
    price = next(one for one in found["models"] if one["model_id"] == "acme/price")
    assert (price["price"], price["unit"]) == (None, "")
    json.dumps(found)


@pytest.mark.parametrize("answer", [{"models": 3}, {"entries": []}, "text", 7, None, {"models": {"a": 1}}], ids=str)
def test_an_answer_without_a_list_is_a_failure(door: CatalogueDoor, runner: Runner, answer: Any) -> None:
    runner.api.fault(Fault("catalog", edit=lambda _: answer, times=99))
    assert door.search({})["failure"]["kind"] == "catalogue_unreadable"


def test_a_server_that_knows_no_offset_is_not_asked_for_ever(door: CatalogueDoor, runner: Runner) -> None:
    the_same = {"models": [{"model_id": PIXEL, "categories": ["text-to-image"]}]}
    runner.api.fault(Fault("catalog", edit=lambda _: the_same, times=None))
    assert ids(door.search({"search": "pixel-1.5"})) == [PIXEL]
    assert pages(runner.api) == 2


@pytest.mark.parametrize("total", [-1, 0, listing.PAGE])
def test_a_total_that_is_the_pages_own_ends_nothing(door: CatalogueDoor, runner: Runner, total: int) -> None:
    runner.api.fault(Fault("catalog", edit=lambda page: {**page, "total": total}, times=None))
    assert door.search({})["total"] == len(MODELS) + 2


@pytest.mark.parametrize("count", [listing.PAGE - 1, listing.PAGE])
def test_a_full_page_that_comes_again_is_not_the_whole_catalogue(runner: Runner, count: int) -> None:
    the_same = [{"model_id": f"acme/x/{number}"} for number in range(count)]
    runner.api.fault(Fault("catalog", edit=lambda _: the_same, times=None))
    entries: dict[str, Any] = {}
    whole = listing.read_catalogue(open_service(current_settings(runner.host)).client, entries)
    assert (len(entries), whole) == (count, count < listing.PAGE)


def test_an_added_model_is_a_file_like_the_packs_own_and_runs(door: CatalogueDoor, runner: Runner) -> None:
    outcomes = door.add([PIXEL, "acme/none/x", TEXT_TO_IMAGE.model_id, PIXEL])
    spec = outcomes[PIXEL]
    assert isinstance(spec, ModelSpec) and spec.node_id == "RunComfy_acme__pixel_1___5__text_to_image"
    missing = outcomes["acme/none/x"]
    assert isinstance(missing, PackError) and missing.failure.kind == "not_in_catalogue"
    (path,) = (runner.state / "models").glob("RunComfy*.json")
    assert stat.S_IMODE(path.stat().st_mode) & 0o77 == 0 and stat.S_IMODE(path.parent.stat().st_mode) & 0o77 == 0
    assert json.loads(path.read_text())["model_id"] == PIXEL
    runner.run(spec, prompt="a fox")
    assert [job.body for job in runner.api.billed] == [{"prompt": "a fox", "size": "1:1"}]
    assert of(door, PIXEL)["here"] == "added"


@pytest.mark.parametrize(
    "model_ids", [["../x"], ["a"], ["A/b"], ["a/" + "b" * 200], [f"a/b{n}" for n in range(51)]]
)
def test_what_can_be_no_list_of_models_is_refused_as_a_whole(door: CatalogueDoor, model_ids: list[str]) -> None:
    with pytest.raises(PackError):
        door.add(model_ids)
    with pytest.raises(PackError):
        door.remove(model_ids)


def test_an_entry_of_another_model_is_not_taken(door: CatalogueDoor, runner: Runner) -> None:
    runner.api.fault(Fault("catalog", edit=lambda entry: {**entry, "model_id": MOVE}))
    refused = door.add([PIXEL])[PIXEL]
    assert isinstance(refused, PackError) and refused.failure.kind == "catalogue_unreadable"
    assert HERE.model(PIXEL) is None


def test_without_the_network_the_kept_entry_is_added(door: CatalogueDoor, runner: Runner) -> None:
    door.search({})
    runner.api.fault(Fault("catalog", status=503, times=99))
    assert isinstance(door.add([PIXEL])[PIXEL], ModelSpec)


def test_a_model_is_removed_and_the_packs_own_are_not(door: CatalogueDoor, runner: Runner) -> None:
    door.add([PIXEL])
    outcomes = door.remove([PIXEL, TEXT_TO_IMAGE.model_id, MOVE])
    kinds = {name: one.failure.kind for name, one in outcomes.items() if isinstance(one, PackError)}
    assert kinds == {TEXT_TO_IMAGE.model_id: "model_of_the_pack", MOVE: "model_not_here"}
    assert HERE.model(PIXEL) is None and list((runner.state / "models").glob("RunComfy*")) == []


def test_the_start_reads_what_was_added_without_reading_the_schemas(
    door: CatalogueDoor, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.add([PIXEL, MOVE])
    monkeypatch.setattr("nodes.app.catalogue.added.read_model", lambda path: pytest.fail(f"{path} was read"))
    here = ModelsHere()
    assert here.load(runner.state) and not here.load(runner.state)
    found = here.model(PIXEL)
    assert found and found.serialized == ("prompt", "size", "seed", "control_after_generate", "on_failure")
    assert here.models()[: len(MODELS)] == tuple(MODELS.values()) and len(here.models()) == len(MODELS) + 2


def test_a_wrong_file_is_left_out_and_told_and_all_else_loads(
    door: CatalogueDoor, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    door.add([PIXEL])
    folder = runner.state / "models"
    good = json.loads(next(folder.glob("RunComfy*")).read_text())
    wrong = {
        "RunComfy_acme__a.1.json": "{",
        "RunComfy_acme__b.1.json": {**good, "extra": 1},
        "RunComfyCollect.1.json": {**good, "node_id": "RunComfyCollect"},
        "RunComfy_acme__d.1.json": good,
        "RunComfy_acme__e.1.json": {
            **good,
            "model_id": "acme/e",
            "node_id": "RunComfy_acme__e",
            "command": "jobs-x",
        },
        f"{TEXT_TO_IMAGE.node_id}.1.json": {**good, "node_id": TEXT_TO_IMAGE.node_id},
        "RunComfy_acme__f.1.json": "[" * 100_000,
        "RunComfy_acme__g.1.json": " " * (MAX_FILE_BYTES + 1),
    }
    for name, content in wrong.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    (folder / "readme.txt").write_text("no model")
    found = opened(runner).search({"search": "acme"})
    assert sorted(Path(one["params"]["path"]).name for one in found["left_out"]) == sorted(wrong)
    assert all(f"A model file is left out: {name}: " in caplog.text for name in wrong)
    assert of(door, PIXEL)["here"] == "added"
    assert HERE.node(TEXT_TO_IMAGE.node_id) == TEXT_TO_IMAGE


@pytest.mark.parametrize(
    "index", ["", "[]", "{", '[{"file": 1}]', '[{"file": "x", "size": 1, "time": 2, "head": 3}]']
)
def test_the_files_are_what_counts_not_their_index(door: CatalogueDoor, runner: Runner, index: str) -> None:
    door.add([PIXEL])
    (runner.state / "models" / "index.json").write_text(index)
    here = ModelsHere()
    here.load(runner.state)
    assert here.model(PIXEL) == HERE.model(PIXEL)


def test_an_index_whose_heads_are_wrong_is_passed_over(door: CatalogueDoor, runner: Runner) -> None:
    door.add([PIXEL])
    path = runner.state / "models" / "index.json"
    path.write_text(json.dumps([{**row, "head": {"node_id": 3}} for row in json.loads(path.read_text())]))
    here = ModelsHere()
    here.load(runner.state)
    assert here.model(PIXEL) == HERE.model(PIXEL)


def test_a_model_that_the_pack_ships_later_keeps_its_node_and_the_newer_file_defines_it(
    door: CatalogueDoor, runner: Runner
) -> None:
    shipped = MODELS["wan-ai/wan-3.0/text-to-video"]
    path = runner.state / "models" / f"{shipped.node_id}.1.json"
    path.parent.mkdir()
    offered = {"model_id": shipped.model_id, "categories": ["text-to-video"]}
    for day, size, newest in (("2020-01-01", "a", False), ("2099-01-01", "b", True)):
        entry = {**offered, "input_schema": schema("prompt", prompt=text(), aspect_ratio=one_of(size))}
        path.write_text(json.dumps(updated_document(shipped, entry, day)))
        HERE.load(runner.state)
        found = HERE.model(shipped.model_id)
        assert found and found.node_id == shipped.node_id and (found is not shipped) == newest
        assert len(HERE.versions(shipped.model_id)) == 2
    assert isinstance(door.remove([shipped.model_id])[shipped.model_id], ModelSpec)


def test_what_a_workflow_names_is_told_from_the_node_alone(door: CatalogueDoor) -> None:
    door.add([PIXEL])
    asked: list[Any] = [
        {
            "model_id": PIXEL,
            "node_id": "RunComfy_acme__pixel_1___5__text_to_image",
            "hash": "x",
            "widgets": ["prompt"],
        },
        {"node_id": "RunComfy_acme__move____2__image_to_video"},
        {"node_id": TEXT_TO_IMAGE.node_id, "model_id": "acme/liar"},
        {"model_id": "acme/none/x"},
        {"model_id": "../x"},
        {"node_id": "KSampler"},
        {"node_id": "RunComfy_liar", "model_id": TEXT_TO_IMAGE.model_id},
        {"node_id": "KSampler", "model_id": PIXEL},
        7,
    ]
    here, other, shipped, missing = door.named(asked)["models"]
    assert (here["here"], here["name"], here["widgets"][:2]) == ("added", "Pixel-1.5", ["prompt", "size"])
    assert here["versions"] == [{"hash": here["hash"], "widgets": here["widgets"]}]
    assert (other["model_id"], other["here"], other["price"], other["hash"]) == (MOVE, "", PRICE, "")
    assert other["refused"] is None
    assert (shipped["model_id"], shipped["here"]) == (TEXT_TO_IMAGE.model_id, "pack")
    assert missing["refused"]["kind"] == "not_in_catalogue"
    assert door.named({"no": "list"}) == {"models": []}


def test_what_a_workflow_names_without_an_account_says_what_is_missing(runner: Runner) -> None:
    failure = PackError("token_missing").failure
    door = CatalogueDoor(runner.state, runner.api.base_url, None, failure)
    (one,) = door.named([{"model_id": PIXEL}])["models"]
    assert one["refused"]["kind"] == "token_missing"
    refused = door.add([PIXEL])[PIXEL]
    assert isinstance(refused, PackError) and refused.failure.kind == "token_missing"
    with pytest.raises(PackError) as raised:
        door.update(TEXT_TO_IMAGE.model_id)
    assert raised.value.failure.kind == "token_missing"


def test_a_check_tells_what_has_changed_vanished_or_been_superseded(door: CatalogueDoor, runner: Runner) -> None:
    dashed, gone = "acme/shape-1-0/text-to-image", "acme/gone/text-to-image"
    for model_id in (dashed, gone):
        offer(runner.api, model_id, SCHEMA)
    door.add([PIXEL, MOVE, dashed, gone])
    offer(runner.api, PIXEL, schema("prompt", prompt=text(), aspect_ratio=one_of("1:1"), seed={"type": "integer"}))
    offer(runner.api, "acme/shape-1.0/text-to-image", SCHEMA)
    for model_id in (dashed, gone):
        withdraw(runner.api, model_id)
    checked, read_at, failure = door.check()
    found = {one.spec.model_id: one for one in checked}
    assert read_at and failure is None
    assert {name: one.state for name, one in found.items() if one.state != "same"} == {
        PIXEL: "changed",
        dashed: "superseded",
        gone: "vanished",
    }
    assert found[dashed].by == "acme/shape-1.0/text-to-image"
    assert [str(one) for one in found[PIXEL].changes] == ["size is not there any more.", "aspect_ratio is new."]
    runner.api.fault(Fault("catalog", status=503, times=99))
    checked, _, failure = door.check()
    assert failure and {one.spec.model_id: one.state for one in checked}[gone] == "unread"


def test_a_catalogue_that_tells_of_no_model_at_all_has_not_lost_them(door: CatalogueDoor, runner: Runner) -> None:
    runner.api.models = {}
    assert {one.state for one in door.check()[0]} == {"unread"}


def test_an_id_whose_model_is_gone_is_refused_without_a_charge(door: CatalogueDoor, runner: Runner) -> None:
    spec = door.add([PIXEL])[PIXEL]
    assert isinstance(spec, ModelSpec)
    withdraw(runner.api, PIXEL)
    with pytest.raises(PackError) as raised:
        runner.run(spec, prompt="a fox")
    assert raised.value.failure.charge.value == "no" and runner.api.billed == []


def test_an_update_without_a_change_makes_no_new_version(door: CatalogueDoor) -> None:
    spec = door.add([PIXEL])[PIXEL]
    assert isinstance(spec, ModelSpec)
    assert door.update(PIXEL)["hash"] == spec.schema_sha256
    assert len(HERE.versions(PIXEL)) == 1
    with pytest.raises(PackError):
        door.update(MOVE)


def test_a_paid_job_of_a_model_that_was_removed_is_collected_as_what_it_is(
    door: CatalogueDoor, runner: Runner
) -> None:
    spec = door.add([MOVE])[MOVE]
    assert isinstance(spec, ModelSpec)
    runner.api.fault(Fault("status", edit=lambda _: {"status": "dreaming"}))
    with pytest.raises(PackError) as raised:
        runner.run(spec, prompt="a fox", image=image())
    door.remove([MOVE])
    _, _, _, (video,), _ = runner.collect_all(raised.value.failure.request_id)
    assert isinstance(video, Path) and video.suffix == ".mp4"
    assert [job.state for job in runner.jobs()] == ["delivered"]


def test_a_page_without_end_is_cut_and_is_not_the_whole_catalogue(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_ENTRIES", 20)
    many = {"models": [{"model_id": f"acme/m{number}"} for number in range(500)], "total": 500}
    runner.api.fault(Fault("catalog", edit=lambda _: many, times=None))
    entries: dict[str, Any] = {}
    whole = listing.read_catalogue(open_service(current_settings(runner.host)).client, entries)
    assert (len(entries), whole) == (20, False)


def test_a_file_that_is_removed_meanwhile_takes_no_other_with_it(door: CatalogueDoor, runner: Runner) -> None:
    door.add([PIXEL])
    (runner.state / "models" / "RunComfy_acme__gone.1.json").symlink_to(runner.state / "nowhere")
    here = ModelsHere()
    here.load(runner.state)
    assert here.model(PIXEL)


def test_an_entry_that_cannot_be_written_is_no_update(door: CatalogueDoor, runner: Runner) -> None:
    door.add([PIXEL])
    runner.api.fault(Fault("catalog", edit=lambda entry: {**entry, "input_schema": {"title": "\ud800"}}))
    with pytest.raises(PackError) as raised:
        door.update(PIXEL)
    assert raised.value.failure.kind == "cannot_be_a_node"


def test_what_is_sent_as_it_is_ends_with_an_update_and_a_removal(door: CatalogueDoor, runner: Runner) -> None:
    door.add([PIXEL, MOVE])
    for end in (lambda: door.update(PIXEL), lambda: door.remove([PIXEL])):
        for model_id in (PIXEL, MOVE):
            door.send_as_it_is(model_id, allow=True)
        end()
        assert not is_sent_as_it_is({}, runner.state, PIXEL)
        assert is_sent_as_it_is({}, runner.state, MOVE)


def test_what_the_catalogue_is_called_holds_nothing_that_a_terminal_obeys(
    door: CatalogueDoor, runner: Runner
) -> None:
    wrong = {"display_name": "Pixel\x1b]0;x\x07\u202e \ud800", "categories": ["\x1b[2J-to-image"]}
    runner.api.fault(
        Fault("catalog", edit=lambda page: {**page, "models": [{**one, **wrong} for one in page["models"]]})
    )
    found = of(door, PIXEL)
    assert (found["name"], found["task"]) == ("Pixel ]0;x", "[2J-to-image")


def test_a_catalogue_that_is_larger_than_any_is_not_read_to_its_end(
    door: CatalogueDoor, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.add([PIXEL])
    withdraw(runner.api, PIXEL)
    for bound, value in (("MAX_ENTRIES", 50), ("MAX_PAGES", 1), ("READ_SECONDS", 0.0), ("MAX_KEPT_BYTES", 100)):
        with monkeypatch.context() as patched:
            patched.setattr(listing, bound, value)
            found = {one.spec.model_id: one.state for one in door.check()[0]}
        # What lies behind the end is not known: nothing has vanished.
        assert found[PIXEL] == "unread", bound
    assert {one.spec.model_id: one.state for one in door.check()[0]}[PIXEL] == "vanished"


def test_an_answer_that_is_too_large_is_a_failure(door: CatalogueDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_PAGE_BYTES", 100)
    assert door.search({})["failure"]["kind"] == "answer_unusable"


def test_a_state_folder_that_cannot_be_written_is_told(door: CatalogueDoor, runner: Runner) -> None:
    (runner.state / "models").write_text("no folder")
    with pytest.raises(PackError) as raised:
        door.add([PIXEL])
    assert raised.value.failure.kind == "folder_unwritable"
    assert HERE.model(PIXEL) is None
    (runner.state / "catalogue.json").mkdir()
    found = door.search({"search": "acme", "refresh": True})
    assert ids(found) == [MOVE, PIXEL] and found["failure"]["kind"] == "folder_unwritable"


def test_more_files_than_are_read_are_told_and_none_is_added(
    door: CatalogueDoor, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.add([PIXEL])
    monkeypatch.setattr("nodes.app.catalogue.added.MOST_FILES", 1)
    with pytest.raises(PackError) as raised:
        door.add([MOVE])
    assert raised.value.failure.kind == "too_many_model_files" and HERE.model(MOVE) is None
    monkeypatch.undo()
    door.add([MOVE])
    monkeypatch.setattr("nodes.app.catalogue.added.MOST_FILES", 1)
    here = ModelsHere()
    here.load(runner.state)
    assert [one.kind for one in here.failures] == ["too_many_model_files"]
    assert (here.model(MOVE) is None) != (here.model(PIXEL) is None)


DEEP = b"[" * 200_000


def test_an_entry_too_large_or_too_deep_costs_itself_alone_and_has_not_vanished(
    door: CatalogueDoor, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.add([PIXEL, MOVE])
    monkeypatch.setattr(listing, "MAX_PAGE_BYTES", 2**20)
    huge = schema("prompt", prompt=text(description="x" * 2**20))
    offer(runner.api, PIXEL, huge)
    offer(runner.api, "acme/z-last/text-to-image", SCHEMA)
    checked, _, failure = door.check()
    states = {one.spec.model_id: one.state for one in checked}
    assert failure is None and (states[PIXEL], states[MOVE]) == ("unread", "same")
    assert "acme/z-last/text-to-image" in ids(door.search({"search": "acme"}))
    assert set(states.values()) == {"same", "unread"}


def test_a_page_that_nobody_can_read_is_a_failure(door: CatalogueDoor, runner: Runner) -> None:
    runner.api.fault(Fault("catalog", content=DEEP, content_type="application/json", times=None))
    assert door.search({})["failure"]["kind"] == "answer_unreadable"
    assert pages(runner.api) < 30


def test_a_catalogue_that_changes_while_it_is_read_has_lost_no_model(door: CatalogueDoor, runner: Runner) -> None:
    door.add([PIXEL])

    def without(page: Any) -> Any:
        left = [one for one in page["models"] if one["model_id"] != PIXEL]
        return {"models": left, "total": page["total"] - 1}

    # An entry of an earlier page was taken out meanwhile, and this one has moved there.
    runner.api.fault(Fault("catalog", edit=without))
    states = {one.spec.model_id: one.state for one in door.check()[0]}
    assert states[PIXEL] == "same"


def test_what_came_before_the_catalogue_broke_off_is_shown_and_the_reason_told(
    door: CatalogueDoor, runner: Runner
) -> None:
    runner.api.fault(Fault("catalog", status=503, times=99, after=1))
    found = door.search({"search": "acme"})
    assert (ids(found), found["failure"]["kind"], found["stale"]) == ([MOVE, PIXEL], "api_failed", True)
    # It is not kept as if it were all of it.
    runner.restart()
    assert listing.Listing(runner.state, runner.api.base_url).get(None)[0].entries == {}


def test_a_catalogue_that_takes_too_long_says_so_and_keeps_what_there_was(
    door: CatalogueDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = door.search({})["total"]
    monkeypatch.setattr(listing, "READ_SECONDS", 0.0)
    found = door.search({"refresh": True})
    assert (found["failure"]["kind"], found["total"]) == ("answer_late", before)


def test_what_is_kept_is_told_while_somebody_reads_the_catalogue_anew(door: CatalogueDoor, runner: Runner) -> None:
    door.search({})
    runner.api.fault(Fault("catalog", hang=2.0, only="offset=0"))
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(door.search, {"refresh": True})
        wait_until(lambda: pages(runner.api) > 2, 5)
        began = time.monotonic()
        (told,) = door.named([{"model_id": PIXEL}])["models"]
        assert told["price"] == PRICE and time.monotonic() - began < 1
        assert not reading.done() and reading.result()["failure"] is None


def test_fifty_models_that_nobody_knows_do_not_hold_up_a_person_for_long(
    door: CatalogueDoor, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PERSON_WAITS_SECONDS", 0.3)
    runner.api.fault(Fault("catalog", hang=2.0, times=None))
    began = time.monotonic()
    told = door.named([{"model_id": f"acme/unknown-{number}"} for number in range(50)])["models"]
    assert time.monotonic() - began < 1.5
    assert {one["refused"]["kind"] for one in told} == {"answer_late"}
    runner.api.clear_faults()


def test_what_was_not_asked_for_is_not_called_unknown(door: CatalogueDoor) -> None:
    told = door.named([{"model_id": f"acme/unknown-{number}"} for number in range(60)])["models"]
    kinds = [one["refused"]["kind"] for one in told]
    assert (kinds.count("not_in_catalogue"), kinds.count("too_many_models")) == (50, 10)


def test_a_model_that_another_process_has_removed_is_a_failure_in_words(
    door: CatalogueDoor, runner: Runner
) -> None:
    door.add([PIXEL])
    here = ModelsHere()
    here.load(runner.state)
    next((runner.state / "models").glob("RunComfy*")).unlink()
    found = here.model(PIXEL)
    assert found
    with pytest.raises(PackError, match="cannot be used"):
        runner.run(found, prompt="a fox")
    assert runner.api.jobs == []


def test_an_added_file_that_is_gone_before_it_is_indexed_costs_nothing_else(
    door: CatalogueDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.add([MOVE])
    monkeypatch.setattr("nodes.app.catalogue.added.write_private", lambda *_: None)
    refused = door.add([PIXEL])[PIXEL]
    assert isinstance(refused, PackError) and refused.failure.kind == "model_not_here"
    assert HERE.model(MOVE)
