"""The catalogue over the page's routes, and the nodes of added models in the tables of a host that runs."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from offers import offer, one_of, schema, text
from page.standin import Standin
from support import MODELS, RecordingHost, Runner, run_node

from nodes.comfyui import NODE_CLASS_MAPPINGS
from nodes.comfyui.routes import PACK_FOLDER

PIXEL = "acme/pixel-1.5/text-to-image"
NODE = "RunComfy_acme__pixel_1___5__text_to_image"
BEFORE = schema("prompt", prompt=text(title="Words"), size=one_of("1:1", "2:1"))
NOW = schema("prompt", prompt=text(), aspect_ratio=one_of("1:1", "2:1"))


@pytest.fixture
def host(runner: Runner, tmp_path: Path) -> Iterator[Standin]:
    offer(runner.api, PIXEL, BEFORE)
    with Standin(tmp_path / "user") as started:
        yield started


@pytest.fixture
def tables(host: Standin, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The host's own module of nodes, of the pack that it has loaded."""
    module = ModuleType("nodes")
    collect = host.nodes["RunComfyCollect"]
    monkeypatch.setattr(collect, "RELATIVE_PYTHON_MODULE", "custom_nodes.the-pack", raising=False)
    tables = {"NODE_CLASS_MAPPINGS": host.nodes, "NODE_DISPLAY_NAME_MAPPINGS": {}}
    module.__dict__.update(tables)
    monkeypatch.setattr(room(host, "comfyui.added"), "host_nodes", lambda: module)
    return module


def room(host: Standin, name: str) -> Any:
    """A module of the pack that the host has loaded."""
    return sys.modules[f"{host.pack.__name__}.nodes.{name}"]


def ask(host: Standin, path: str, **body: object) -> Any:
    answer = requests.post(f"{host.url}/runcomfy/models/{path}", json=body, timeout=20)
    return answer.json()


class Watched(dict[str, Any]):
    """A table that knows which threads have changed it."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__(content)
        self.threads: set[str] = set()

    def update(self, *others: Any) -> None:
        self.threads.add(threading.current_thread().name)
        super().update(*others)


def test_the_hosts_tables_change_where_the_host_goes_through_them(
    host: Standin, tables: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(host.nodes)
    monkeypatch.setitem(tables.__dict__, "NODE_CLASS_MAPPINGS", watched)
    ask(host, "add", model_ids=[PIXEL])
    assert NODE in watched and watched.threads == {"standin"}
    watched.threads.clear()
    ask(host, "search", search="pixel")
    assert watched.threads == set(), "there was nothing to change"
    ask(host, "remove", model_ids=[PIXEL])
    assert NODE not in watched


def test_a_model_is_searched_added_named_and_removed(host: Standin, tables: ModuleType) -> None:
    (found,) = ask(host, "search", search="pixel-1.5")["models"]
    assert (found["model_id"], found["node_id"], found["here"]) == (PIXEL, NODE, "")
    told = ask(host, "add", model_ids=[PIXEL, "acme/none/x"])
    assert told["added"] == [{"model_id": PIXEL, "node_id": NODE, "name": "Pixel-1.5 (RunComfy)"}]
    assert [(one["model_id"], one["failure"]["kind"]) for one in told["refused"]] == [
        ("acme/none/x", "not_in_catalogue")
    ]
    assert tables.NODE_DISPLAY_NAME_MAPPINGS[NODE] == "Pixel-1.5 (RunComfy)"
    assert tables.NODE_CLASS_MAPPINGS[NODE].RELATIVE_PYTHON_MODULE == "custom_nodes.the-pack"
    (named,) = ask(host, "named", models=[{"node_id": NODE}])["models"]
    assert named["widgets"] == ["prompt", "size", "rerun_seed", "on_failure"]
    assert ask(host, "remove", model_ids=[PIXEL])["removed"][0]["node_id"] == NODE
    assert NODE not in tables.NODE_CLASS_MAPPINGS and set(NODE_CLASS_MAPPINGS) < set(tables.NODE_CLASS_MAPPINGS)
    assert ask(host, "add", model_ids="x")["kind"] == "not_a_list_of_ids"
    assert ask(host, "add", model_ids=["../x"])["kind"] == "not_a_model_id"


def test_a_node_that_the_host_has_kept_follows_an_update(host: Standin, tables: ModuleType, runner: Runner) -> None:
    ask(host, "add", model_ids=[PIXEL])
    node_class = tables.NODE_CLASS_MAPPINGS[NODE]
    node_class.HOST = RecordingHost()
    node = node_class()
    asyncio.run(run_node(node, prompt="a fox"))
    offer(runner.api, PIXEL, NOW)
    checked = ask(host, "check")["models"]
    assert [one["state"] for one in checked if one["model_id"] == PIXEL] == ["changed"]
    made = ask(host, "update", model_id=PIXEL)
    assert (made["node_id"], made["widgets"]) == (NODE, ["prompt", "aspect_ratio", "rerun_seed", "on_failure"])
    assert tables.NODE_CLASS_MAPPINGS[NODE] is node_class
    assert list(node_class.INPUT_TYPES()["required"]) == ["prompt"]
    assert "aspect_ratio" in {**node_class.INPUT_TYPES()["optional"]}
    node_class.HOST = RecordingHost()
    asyncio.run(run_node(node, prompt="a fox", aspect_ratio="2:1"))
    assert [job.body for job in runner.api.billed] == [
        {"prompt": "a fox", "size": "1:1"},
        {"prompt": "a fox", "aspect_ratio": "2:1"},
    ]


def test_what_another_process_has_added_is_published_as_well(
    host: Standin, tables: ModuleType, runner: Runner
) -> None:
    ask(host, "add", model_ids=[PIXEL])
    (path,) = (runner.state / "models").glob(f"{NODE}.*")
    content = path.read_text()
    ask(host, "remove", model_ids=[PIXEL])
    path.write_text(content)
    ask(host, "search")
    assert NODE in tables.NODE_CLASS_MAPPINGS


def test_texts_and_help_are_there_in_every_language(host: Standin) -> None:
    ask(host, "add", model_ids=[PIXEL])

    def texts(**query: str) -> Any:
        return requests.get(f"{host.url}/runcomfy/models/texts", params=query, timeout=20)

    english, french = texts(node_id=NODE, locale="en-GB").json(), texts(node_id=NODE, locale="fr").json()
    assert english["display_name"] == "Pixel-1.5 (RunComfy)"
    assert english["inputs"]["prompt"]["name"] == "Prompt"
    assert french["inputs"]["on_failure"] != english["inputs"]["on_failure"]
    assert french.keys() == english.keys() == {"display_name", "description", "inputs", "outputs"}
    assert texts(node_id="KSampler").json()["kind"] == "no_such_node"
    for name in (f"{NODE}.md", f"{NODE}/fr.md"):
        answer = requests.get(f"{host.url}/extensions/{PACK_FOLDER}/docs/{name}", timeout=20)
        assert answer.text.startswith("# Pixel-1.5 (RunComfy)") and "`size`" in answer.text


def test_what_is_sent_as_it_is_is_chosen_on_the_page(host: Standin, runner: Runner) -> None:
    assert ask(host, "as_it_is", model_id=PIXEL, allow=True)["kind"] == "model_not_here"
    ask(host, "add", model_ids=[PIXEL])
    assert ask(host, "as_it_is", model_id=PIXEL, allow=True) == {}
    assert PIXEL in (runner.state / "as_it_is.json").read_text()
    assert ask(host, "search", search="pixel")["as_it_is"] == ask(host, "check")["as_it_is"] == [PIXEL]
    assert ask(host, "as_it_is", model_id=PIXEL) == {}
    assert PIXEL not in (runner.state / "as_it_is.json").read_text()


def test_the_start_has_the_models_that_were_added_before(host: Standin, tables: ModuleType, tmp_path: Path) -> None:
    ask(host, "add", model_ids=[PIXEL])
    here, started = room(host, "app.catalogue.here").HERE, room(host, "comfyui.added")
    here.load(tmp_path / "nothing")
    found = started.classes_at_start(RecordingHost())
    assert list(found)[-1] == NODE and len(found) == len(MODELS) + 1
    assert found[NODE] is tables.NODE_CLASS_MAPPINGS[NODE]


@pytest.mark.usefixtures("tables")
def test_a_state_folder_that_cannot_be_known_leaves_the_packs_own(
    host: Standin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNCOMFY_STATE_DIR", "~nobody-is-called-so/x")
    assert len(room(host, "comfyui.added").classes_at_start(RecordingHost())) == len(MODELS)
    assert "The added models are left out" in caplog.text
