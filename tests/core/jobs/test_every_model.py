"""Every model that ships, run on the emulator, which checks each body strictly: the node returns what it says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import torch
from support import MODELS, GraphMedia, Runner

from emulator import Emulator
from emulator.validation import validate
from nodes.core.media.file_type import type_of
from nodes.core.schema.model import ModelSpec

FILE = "https://files.example.com/a"
BY_MAKER: dict[str, list[ModelSpec]] = defaultdict(list)
for each in MODELS.values():
    BY_MAKER[each.model_id.partition("/")[0]].append(each)


def least(spec: ModelSpec) -> dict[str, object]:
    """Return the least that a run needs: its required texts and files, and what its conditions ask for."""
    wanted = {one.any_of[0] for one in spec.conditions if one.any_of}
    needed = [field for field in spec.fields if field.required or field.name in wanted]
    texts = [field for field in needed if field.inputs[-1].type == "STRING"]
    return {field.inputs[-1].name: FILE if field.sockets else "a fox" for field in texts}


@pytest.mark.parametrize("maker", BY_MAKER)
def test_a_run_brings_what_the_node_says(runner: Runner, api: Emulator, tmp_path: Path, maker: str) -> None:
    runner.host.media = GraphMedia(tmp_path / "temp")
    specs = BY_MAKER[maker]

    async def run_all() -> list[Any]:
        return await asyncio.gather(*(runner.start(spec, **least(spec)) for spec in specs))

    outcomes = asyncio.run(run_all())
    jobs = {job.request_id: job for job in api.jobs}
    assert len(jobs) == len(specs)
    for spec, ((first, *_), urls, request_id, *masks) in zip(specs, outcomes, strict=True):
        job = jobs[request_id]
        assert job.model_id == spec.model_id
        validate(job.body, job_schema(api, spec), api.origin)
        assert urls.startswith(api.origin)
        match spec.output.medium:
            case "image":
                assert isinstance(first, torch.Tensor) and first.dtype == torch.float32 and first.shape[3] == 3
            case "video":
                assert isinstance(first, Path) and type_of(first).mime == "video/mp4"
            case "audio":
                assert isinstance(first, dict) and first["waveform"].ndim == 3 and first["sample_rate"] > 0
        assert len(masks) == (spec.output_kind == "image_with_mask")


def job_schema(api: Emulator, spec: ModelSpec) -> dict[str, object]:
    return {**api.models[spec.model_id].input_schema, "additionalProperties": False}
