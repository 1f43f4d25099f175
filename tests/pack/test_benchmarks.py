"""What the benchmarks run is the node as it is now."""

from __future__ import annotations

import asyncio

from benchmarks.running import generate, state
from emulator import Emulator


def test_the_benchmarks_run_a_node_to_its_end(api: Emulator) -> None:
    with state(api.base_url, api.token):
        asyncio.run(generate("a fox"))
    assert [job.billed for job in api.jobs] == [True]
