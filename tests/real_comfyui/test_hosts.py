"""Two real ComfyUI hosts with one record on a PostgreSQL server."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hurry import same
from makers import by_pillow
from postgres import PASSWORD, Server
from real_comfyui.graphs import images, jobs_of, one_image
from real_comfyui.host import Comfy, installation

from emulator import Emulator

pytestmark = pytest.mark.comfyui


@pytest.fixture
def hosts(api: Emulator, server: Server, fresh_folder: Path) -> Iterator[Callable[[], Comfy]]:
    """Start another host of the same account and record."""
    found = installation()
    if found is None or subprocess.run([found[1], "-c", "import psycopg"], capture_output=True).returncode:
        pytest.skip("psycopg is not installed in ComfyUI's Python")
    address = server.new_database()
    with contextlib.ExitStack() as running:
        names = iter(["first", "second"])

        def another() -> Comfy:
            name = next(names)
            host = Comfy(fresh_folder / name, api)
            host.environment |= {"RUNCOMFY_JOURNAL": address, "RUNCOMFY_HOST_NAME": name}
            return running.enter_context(host)

        yield another


def test_what_one_host_is_paid_for_the_other_hands_out(hosts: Callable[[], Comfy], api: Emulator) -> None:
    first, second = hosts(), hosts()
    api.hold_running = True
    begun = first.submit(one_image("on both hosts"))
    first.until(lambda: jobs_of(api, "on both hosts"), "the job is submitted")
    also = second.submit(one_image("on both hosts"))
    second.until(lambda: any("not paid twice" in text or "running" in text.lower() for text in second.texts("1")),
                 "the second host waits for the job of the first")  # fmt: skip
    # The first one dies, and the second one has the image all the same.
    first.kill()
    api.hold_running = False
    outcome = second.end_of(also)
    (job,) = jobs_of(api, "on both hosts")
    assert same([by_pillow(file) for file in second.files(outcome, "2")], images(api, job))
    first.start()
    assert first.run(one_image("on both hosts")).succeeded
    assert begun and len(jobs_of(api, "on both hosts")) == 1


def test_while_the_record_is_away_nothing_is_spent_and_what_runs_goes_on(
    hosts: Callable[[], Comfy], api: Emulator, server: Server
) -> None:
    host = hosts()
    assert host.run(one_image("kept here")).succeeded
    api.hold_running = True
    running = host.submit(one_image("under way"))
    host.until(lambda: any(job.state == "in_progress" for job in jobs_of(api, "under way")), "the job runs")
    with server.away():
        api.hold_running = False
        assert host.end_of(running).succeeded
        refused = host.run(one_image("new"))
        assert refused.error and "nothing is spent" in refused.error and PASSWORD not in refused.error
        assert not jobs_of(api, "new")
        assert host.run(one_image("kept here")).succeeded
    # A server that was away is asked again a second later.
    host.until(lambda: host.run(one_image("new")).succeeded, "the record is back")
    assert host.run(one_image("under way")).succeeded
    assert [len(jobs_of(api, prompt)) for prompt in ("kept here", "under way", "new")] == [1, 1, 1]
    assert PASSWORD not in host.log
