"""What a person sees of the nodes in a real ComfyUI: work at the same time, progress, errors, and no token."""

from __future__ import annotations

import json
import re

import pytest
from hurry import same
from makers import by_pillow
from real_comfyui.graphs import images, jobs_of, one_image, pro_edit, saved, shown, text_to_image
from real_comfyui.host import Comfy

from emulator import Emulator

pytestmark = pytest.mark.comfyui


def test_node_mapped_over_a_list_runs_its_items_at_the_same_time(comfy: Comfy, api: Emulator) -> None:
    prompts = ["list: a fox", "list: an owl", "list: a hare"]
    lines = {"class_type": "ProbeLines", "inputs": {"text": "\n".join(prompts)}}
    api.hold = True
    running = comfy.submit({"1": lines, "2": text_to_image(["1", 0]), "3": saved("2")})
    # No job leaves the queue: were they run one after another, the second would never come.
    comfy.until(lambda: all(jobs_of(api, prompt) for prompt in prompts), "all jobs are submitted")
    assert {job.state for prompt in prompts for job in jobs_of(api, prompt)} == {"in_queue"}
    api.hold = False
    outcome = comfy.end_of(running)
    files = [by_pillow(file) for file in comfy.files(outcome, "3")]
    assert same(files, [image for prompt in prompts for image in images(api, *jobs_of(api, prompt))])


def test_two_nodes_of_one_prompt_run_at_the_same_time(comfy: Comfy, api: Emulator) -> None:
    api.hold = True
    example = {"class_type": "LoadImage", "inputs": {"image": "example.png"}}
    running = comfy.submit(
        {
            "1": text_to_image("pair: a fox"),
            "2": shown("1"),
            "3": example,
            "4": pro_edit("pair: an owl", image_1=["3", 0]),
            "5": shown("4"),
        }
    )
    comfy.until(lambda: jobs_of(api, "pair: a fox") and jobs_of(api, "pair: an owl"), "both jobs are submitted")
    assert {job.state for job in api.jobs[-2:]} == {"in_queue"}
    api.hold = False
    assert comfy.end_of(running).succeeded


def test_page_hears_the_place_in_the_queue_then_the_run_then_what_came(comfy: Comfy, api: Emulator) -> None:
    api.hold, api.hold_running, api.queue_seconds = True, True, 3600.0
    since = len(comfy.listener.events)
    running = comfy.submit(one_image("queue position"))
    comfy.until(lambda: any("Queued, position 3, " in text for text in comfy.texts("1", since)), "a position")
    (job,) = jobs_of(api, "queue position")
    api.queue_seconds = job.queue_seconds = 0.0
    api.hold = False
    comfy.until(lambda: any("Running, " in text for text in comfy.texts("1", since)), "it runs")
    api.hold_running = False
    assert comfy.end_of(running).succeeded
    last = comfy.texts("1", since)[-1]
    assert re.match(r"1 image delivered, \d+ s", last) and job.request_id in last


def test_bar_of_the_node_is_full_at_the_end(comfy: Comfy) -> None:
    since = len(comfy.listener.events)
    running = comfy.submit(one_image("a full bar"))
    assert comfy.end_of(running).succeeded
    states = [event.data["nodes"] for event in comfy.listener.events[since:] if event.kind == "progress_state"]
    bars = [nodes["1"] for nodes in states if "1" in nodes]
    assert bars[-1]["value"] == bars[-1]["max"] > 0


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (one_image("   "), "prompt: it is empty"),
        ({"1": pro_edit("no reference"), "2": saved("1")}, "image_urls: connect an image to image_1"),
        ({"1": pro_edit("x", image_urls="http://example.com/a.png"), "2": saved("1")}, "image_urls: line 1"),
    ],
    ids=["blank prompt", "no reference", "plain http"],
)
def test_bad_input_shows_a_receipt_and_makes_no_call(
    graph: dict[str, dict[str, object]], words: str, comfy: Comfy, api: Emulator
) -> None:
    calls = len(api.calls)
    outcome = comfy.run(graph)
    assert outcome.error is not None
    assert words in outcome.error and "Charged: no." in outcome.error and "Nothing was sent." in outcome.error
    assert len(api.calls) == calls


@pytest.mark.parametrize("size", ["8K", 1])
def test_value_out_of_its_list_is_refused_by_comfyui_itself(size: object, comfy: Comfy, api: Emulator) -> None:
    calls = len(api.calls)
    with pytest.raises(AssertionError, match="value_not_in_list"):
        comfy.submit(one_image("a size that is not there", resolution=size))
    assert len(api.calls) == calls


def test_failed_job_shows_the_reason_and_the_request(comfy: Comfy, api: Emulator) -> None:
    api.fault(at="job", fails="held back by the safety filter")
    outcome = comfy.run(one_image("a job that fails"))
    (job,) = jobs_of(api, "a job that fails")
    assert outcome.error is not None
    assert "Reason given: held back by the safety filter" in outcome.error
    assert f"Request: {job.request_id}" in outcome.error


def test_token_is_nowhere_to_be_seen(comfy: Comfy, api: Emulator) -> None:
    outcome = comfy.run(one_image("an image to look into"))
    api.fault(at="submit", status=401)
    assert comfy.run(one_image("an error to look into")).error
    (image,) = comfy.files(outcome, "2")
    assert b"an image to look into" in image, "ComfyUI writes the prompt into the file"
    heard = repr(comfy.listener.events)
    assert "an image to look into" not in heard and "Request " in heard
    told = json.dumps(comfy.get("/history").json())
    assert "an error to look into" in told
    places = {
        "image": image,
        "history": told.encode(),
        "events": heard.encode(),
        "nodes": json.dumps(comfy.object_info()).encode(),
        "settings": comfy.get("/settings").content,
        **{str(file): file.read_bytes() for file in comfy.folder.rglob("*") if file.is_file()},
    }
    assert any(place.endswith("comfyui.log") for place in places)
    assert [place for place, content in places.items() if api.token.encode() in content] == []
