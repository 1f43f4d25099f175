"""Both nodes from widget to tensor, on the emulator over real HTTP."""

from __future__ import annotations

import asyncio

import pytest
import torch
from support import PRO_EDIT, TEXT_TO_IMAGE, RecordingHost, Runner, image

from emulator import Emulator, Fault
from nodes.core.errors import InvalidInput, JobFailed, SubmissionUnknown
from nodes.core.jobs.progress import Stage


def test_text_to_image_returns_one_batch_of_one_size(runner: Runner, api: Emulator) -> None:
    batches, urls, request_id = runner.text_to_image(num_images=2, aspect_ratio="16:9")
    assert [batch.shape for batch in batches] == [torch.Size([2, 768, 1360, 3])]
    assert batches[0].dtype == torch.float32
    assert batches[0].min() >= 0 and batches[0].max() <= 1
    assert len(urls.splitlines()) == 2
    assert request_id == api.jobs[0].request_id
    assert runner.host.last.stage is Stage.DELIVERED


def test_every_widget_is_sent_and_no_sample_is(runner: Runner, api: Emulator) -> None:
    runner.text_to_image(prompt="a fox")
    assert api.jobs[0].body == {
        "prompt": "a fox",
        "num_images": 1,
        "seed": 0,
        "aspect_ratio": "auto",
        "resolution": "1K",
        "output_format": "png",
        "safety_tolerance": 4,
        "limit_generations": True,
        "enable_web_search": False,
    }


def test_several_sizes_leave_as_a_list_of_batches(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", sizes=[(64, 48), (32, 32), (64, 48)]))
    batches, _, _ = runner.text_to_image(num_images=3)
    assert [tuple(batch.shape) for batch in batches] == [(2, 48, 64, 3), (1, 32, 32, 3)]


def test_references_are_sent_in_socket_order_then_urls(runner: Runner, api: Emulator) -> None:
    runner.pro_edit(
        image_2=image(seed=2), image_1=image(20, 30, count=2, seed=1), image_urls="https://a.example.com/x.png"
    )
    sent = api.jobs[0].body["image_urls"]
    assert len(sent) == 4
    assert [uri[:16] for uri in sent[:3]] == ["data:image/webp;"] * 3
    assert sent[3] == "https://a.example.com/x.png"
    assert "rerun_seed" not in api.jobs[0].body


def test_same_inputs_are_paid_once_and_handed_out_again_after_a_restart(runner: Runner, api: Emulator) -> None:
    first = runner.text_to_image()
    runner.restart()
    calls = len(api.calls)
    second = runner.text_to_image()
    assert len(api.calls) == calls
    assert len(api.billed) == 1
    assert torch.equal(first[0][0], second[0][0])
    assert first[1:] == second[1:]
    assert "Same inputs: kept copy, no charge" in runner.host.last.text()


def test_twins_in_one_prompt_are_paid_once(runner: Runner, api: Emulator) -> None:
    api.run_seconds = 0.5

    async def twins():
        return await asyncio.gather(*(runner.start(TEXT_TO_IMAGE, prompt="a fox") for _ in range(3)))

    results = asyncio.run(twins())
    assert len(api.billed) == 1
    assert len({result[2] for result in results}) == 1


def test_lost_submit_is_told_once_and_never_repeated(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("submit", lost=True))
    with pytest.raises(SubmissionUnknown, match="may have been accepted"):
        runner.text_to_image()
    assert api.count("submit") == 1
    runner.text_to_image()
    assert api.count("submit") == 2


def test_failed_job_shows_the_reason(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("job", fails="blocked by the safety filter"))
    with pytest.raises(JobFailed, match="blocked by the safety filter"):
        runner.text_to_image()
    runner.text_to_image()
    assert api.count("submit") == 2


def test_blank_prompt_is_refused_before_any_call(runner: Runner, api: Emulator) -> None:
    with pytest.raises(InvalidInput, match="prompt"):
        runner.text_to_image(prompt="  ")
    assert api.calls == []


def test_stop_in_the_queue_cancels(runner: Runner, api: Emulator) -> None:
    api.hold = True
    runner.host.stop_at = Stage.QUEUED
    with pytest.raises(BaseException) as stopped:
        runner.text_to_image()
    assert type(stopped.value).__name__ == "Interrupted"


def test_sync_mode_decodes_data_uris(runner: Runner) -> None:
    batches, urls, _ = runner.pro_edit(image_1=image(), sync_mode=True)
    assert batches[0].ndim == 4 and urls == ""


def test_chain_by_hosted_url_uploads_nothing(runner: Runner, api: Emulator) -> None:
    _, urls, _ = runner.text_to_image()
    runner.run(PRO_EDIT, prompt="more snow", image_urls=urls)
    assert api.jobs[1].body["image_urls"] == urls.splitlines()
    assert isinstance(runner.host, RecordingHost)
