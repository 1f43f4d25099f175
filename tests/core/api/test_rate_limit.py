"""The rate limit of an account is one for all of its jobs."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from support import TEXT_TO_IMAGE, Runner

from emulator import Emulator, Fault
from nodes.core.api.rate_limit import SPREAD, RateLimiter

seconds = st.floats(0, 1e6)


@given(st.lists(seconds, min_size=1), seconds, st.floats(0, 1))
def test_the_latest_hold_counts_and_no_call_is_early(holds: list[float], now: float, random: float) -> None:
    limit = RateLimiter()
    for until in holds:
        limit.hold(until)
    left = max(holds) - now
    assert max(0.0, left) <= limit.delay(now, random) <= max(0.0, left * (1 + SPREAD))


def test_one_rate_limit_holds_every_job_of_the_account(runner: Runner, api: Emulator) -> None:
    api.hold = True
    api.fault(Fault("status", status=429, headers={"Retry-After": "2"}, after=1))

    async def two() -> None:
        first = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="a"))
        second = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="b"))
        while not any(call.status == 429 for call in api.calls):
            await asyncio.sleep(0.01)
        api.hold = False
        await asyncio.gather(first, second)

    asyncio.run(two())
    told = next(call.at for call in api.calls if call.status == 429)
    # A call that was on its way already may arrive; after that, silence for the two seconds that were asked for.
    assert not [call for call in api.calls if call.what != "file" and told + 0.2 < call.at < told + 1.9]
    assert len(api.billed) == 2
