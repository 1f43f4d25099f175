"""In a real ComfyUI, what has been paid for is never lost and never paid for twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hurry import same
from makers import by_pillow
from real_comfyui.graphs import images, jobs_of, one_image, saved, text_to_image
from real_comfyui.host import Comfy

from emulator import Emulator, Fault

pytestmark = pytest.mark.comfyui


def billed(api: Emulator, prompt: str) -> int:
    return sum(job.billed for job in jobs_of(api, prompt))


def test_stop_in_the_queue_cancels_the_job_and_comfyui_goes_on(comfy: Comfy, api: Emulator) -> None:
    api.hold = True
    running = comfy.submit(one_image("stopped in the queue"))
    comfy.until(lambda: jobs_of(api, "stopped in the queue"), "the job is submitted")
    comfy.interrupt()
    outcome = comfy.end_of(running)
    assert outcome.interrupted and outcome.error is None
    (job,) = jobs_of(api, "stopped in the queue")
    comfy.until(lambda: job.cancelled, "the job is cancelled")
    api.hold = False
    assert comfy.run(one_image("after the stop")).succeeded
    assert comfy.run(one_image("stopped in the queue")).succeeded
    assert billed(api, "stopped in the queue") == 1


def test_stop_while_running_is_collected_by_the_next_run_without_a_second_payment(
    comfy: Comfy, api: Emulator
) -> None:
    api.hold_running = True
    running = comfy.submit(one_image("stopped while running"))
    comfy.until(
        lambda: any(job.state == "in_progress" for job in jobs_of(api, "stopped while running")), "the job runs"
    )
    comfy.interrupt()
    assert comfy.end_of(running).interrupted
    api.hold_running = False
    outcome = comfy.run(one_image("stopped while running"))
    (job,) = jobs_of(api, "stopped while running")
    assert same([by_pillow(file) for file in comfy.files(outcome, "2")], images(api, job))


def test_a_missing_file_is_fetched_by_running_the_same_graph_again(comfy: Comfy, api: Emulator) -> None:
    graph = {"1": text_to_image("one is missing", num_images=3), "2": saved("1")}
    api.fault(Fault("file", times=None, status=410, only="/1.png"))
    for _ in range(2):
        outcome = comfy.run(graph)
        assert outcome.succeeded and len(comfy.files(outcome, "2")) == 2
    api.clear_faults()
    outcome = comfy.run(graph)
    (job,) = jobs_of(api, "one is missing")
    assert same([by_pillow(file) for file in comfy.files(outcome, "2")], images(api, job))
    files = api.count("file")
    assert comfy.run(graph).succeeded and api.count("file") == files


def test_stop_ends_every_node_of_the_prompt(comfy: Comfy, api: Emulator) -> None:
    api.hold = True
    prompts = [f"stopped together {number}" for number in range(8)]
    lines = {"class_type": "ProbeLines", "inputs": {"text": "\n".join(prompts[:2])}}
    graph = {"lines": lines, "mapped": text_to_image(["lines", 0]), "mapped saved": saved("mapped")}
    for prompt in prompts[2:]:
        graph |= {prompt: text_to_image(prompt), f"{prompt} saved": saved(prompt)}
    since = len(comfy.listener.events)
    running = comfy.submit(graph)
    nodes = ("mapped", *prompts[2:])
    comfy.until(
        lambda: all(jobs_of(api, prompt) for prompt in prompts) and all(comfy.texts(node, since) for node in nodes),
        "all wait",
    )
    comfy.until(lambda: all(jobs_of(api, prompt) for prompt in prompts), "all jobs are submitted")
    comfy.interrupt()
    assert comfy.end_of(running).interrupted
    comfy.until(
        lambda: all(job.cancelled for prompt in prompts for job in jobs_of(api, prompt)), "all are cancelled"
    )


def test_failure_of_another_node_loses_nothing(comfy: Comfy, api: Emulator, tmp_path: Path) -> None:
    fuse = tmp_path / "fuse"
    failing = {"class_type": "ProbeFailure", "inputs": {"file": str(fuse)}}
    api.hold_running = True
    running = comfy.submit({**one_image("beside a failure"), "3": failing})
    comfy.until(lambda: jobs_of(api, "beside a failure"), "the job is submitted")
    fuse.touch()
    assert comfy.end_of(running).error == "the probe fails"
    api.hold_running = False
    outcome = comfy.run(one_image("beside a failure"))
    (job,) = jobs_of(api, "beside a failure")
    assert job.billed
    assert same([by_pillow(file) for file in comfy.files(outcome, "2")], images(api, job))


def test_failure_of_another_node_before_the_answer_to_the_submit_loses_nothing(
    comfy: Comfy, api: Emulator, tmp_path: Path
) -> None:
    fuse = tmp_path / "fuse"
    failing = {"class_type": "ProbeFailure", "inputs": {"file": str(fuse)}}
    api.fault(at="submit", hang_after=1.0)
    running = comfy.submit({**one_image("an answer too late"), "3": failing})
    comfy.until(lambda: jobs_of(api, "an answer too late"), "the job is accepted")
    fuse.touch()
    assert comfy.end_of(running).error == "the probe fails"
    outcome = comfy.run(one_image("an answer too late"))
    (job,) = jobs_of(api, "an answer too late")
    assert same([by_pillow(file) for file in comfy.files(outcome, "2")], images(api, job))


def test_going_back_to_an_earlier_prompt_costs_nothing(comfy: Comfy, api: Emulator) -> None:
    first = comfy.run(one_image("A of A, B, A"))
    assert comfy.run(one_image("B of A, B, A")).succeeded
    calls = len(api.calls)
    again = comfy.run(one_image("A of A, B, A", seed=0))
    assert len(api.calls) == calls
    assert len(jobs_of(api, "A of A, B, A")) == 1
    assert same(*([by_pillow(file) for file in comfy.files(outcome, "2")] for outcome in (first, again)))


def test_same_inputs_in_two_nodes_of_one_prompt_are_paid_once(comfy: Comfy, api: Emulator) -> None:
    outcome = comfy.run({**one_image("twins"), "3": text_to_image("twins"), "4": saved("3")})
    assert len(jobs_of(api, "twins")) == 1
    assert same(*([by_pillow(file) for file in comfy.files(outcome, node)] for node in ("2", "4")))


def test_job_survives_the_end_of_comfyui_in_the_middle_of_it(api: Emulator, fresh_folder: Path) -> None:
    graph = one_image("killed in mid-job")
    with Comfy(fresh_folder, api) as comfy:
        api.hold_running = True
        comfy.submit(graph)
        comfy.until(
            lambda: any("Running, " in text for text in comfy.texts("1")), "the job runs, and the page knows it"
        )
        comfy.kill()
        api.hold_running = False
        comfy.start()
        outcome = comfy.run(graph)
        (job,) = jobs_of(api, "killed in mid-job")
        assert job.billed
        assert same([by_pillow(file) for file in comfy.files(outcome, "2")], images(api, job))

        comfy.kill()
        calls = len(api.calls)
        comfy.start()
        kept = comfy.run(graph)
        assert len(api.calls) == calls
        assert same(*([by_pillow(file) for file in comfy.files(run, "2")] for run in (outcome, kept)))
