"""What keeps the pack fast, as behaviour: calls made, copies made, threads and connections. Never the clock."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import requests
import torch
from makers import decoded, file_of, noise, uri_of
from PIL import Image
from support import PRO_EDIT, TEXT_TO_IMAGE, Interrupted, RecordingHost, Runner, image

from emulator import Emulator, Fault
from nodes.app.catalogue import keep_up
from nodes.core import threads
from nodes.core.api.responses import InlineFile, Running, State, Succeeded, parse_seconds
from nodes.core.errors import JobFailed
from nodes.core.jobs import fetch
from nodes.core.jobs.polling import MAX_GAP
from nodes.core.jobs.progress import Stage
from nodes.core.jobs.runner import JobRunner
from nodes.core.media import encode, tensors
from nodes.core.media.buffers import BufferPool
from nodes.core.media.inputs import image as image_input
from nodes.core.media.inputs.image import ImageContent
from nodes.core.media.pixels import Floats, Pixels, content_hash
from nodes.core.media.tensors import BatchDecoder, to_pixels
from nodes.core.request import build
from nodes.core.request.encode_once import Encoder, Reference
from nodes.core.request.request import EncodedRequest, Request
from nodes.core.schema.model import Limits
from nodes.core.store.file_cache import CacheWriter, FileCache
from nodes.core.store.job import NewJob
from nodes.core.store.journal import Journal


class Time:
    """A clock whose hours pass as fast as they are slept."""

    def __init__(self) -> None:
        self.seconds = 1.7e9

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class ScriptedApi:
    """A client whose job ends ``duration`` seconds after its submission; it notes when it is asked what."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.duration = 0.0
        self.submitted_at = 0.0
        self.asked: list[tuple[str, float]] = []
        self.created_at: float | None = None
        self.slow = 1.0

    def submit(self, _model_id: str, _body: bytes) -> str:
        self.submitted_at, self.asked = self.time.now(), []
        return f"request-{self.submitted_at}"

    def status(self, _request_id: str) -> State:
        return self._state("status", ())

    def result(self, _request_id: str, _model_id: str = "") -> State:
        return self._state("result", (InlineFile("image/png;base64", uri_of(file_of(noise(8))).partition(",")[2]),))

    def times(self, what: str) -> list[float]:
        return [at for asked, at in self.asked if asked == what]

    def _state(self, what: str, files: tuple[InlineFile, ...]) -> State:
        waited = self.time.now() - self.submitted_at
        self.asked.append((what, waited))
        if waited < self.duration:
            return Running()
        told = None if self.created_at is None else self.created_at + self.duration * self.slow
        return Succeeded(files, 0.1, parse_seconds(self.created_at, told))


class TimedJobs:
    """Runs jobs of given lengths, one after another, with a journal that learns from them."""

    def __init__(self, folder: Path) -> None:
        self.time = Time()
        self.api = ScriptedApi(self.time)
        self.jump = 0.0
        self.journal = Journal(folder, self._wall)
        kept = FileCache(folder / "kept", 0)
        self._jobs: Any = JobRunner(self.api, self.journal, kept, None, account="account", clock=self.time)  # type: ignore[arg-type]

    def _wall(self) -> float:
        return self.time.now() + (self.jump if self.time.now() > self.api.submitted_at + 5 else 0)

    def run(self, duration: float, jump: float = 0.0) -> None:
        """Run a job; five seconds after its submission, the computer's clock jumps."""
        self.api.duration, self.jump = duration, jump
        new_job = NewJob(f"fingerprint {self.time.now()}", "account", "model", "1K", 1)
        request = Request(new_job, 1, 0, lambda: EncodedRequest(b"{}"))
        asyncio.run(self._jobs.run(request, RecordingHost()))


@pytest.fixture
def timed(tmp_path: Path):
    jobs = TimedJobs(tmp_path)
    yield jobs
    jobs.journal.close()


def durations(length: float, spread: float, count: int = 12) -> list[float]:
    random = Random(f"{length} {spread}")
    return [length * math.exp(random.gauss(0, spread)) for _ in range(count)]


@pytest.mark.parametrize("spread", [0.01, 0.05, 0.20])
@pytest.mark.parametrize("length", [3.0, 20.0, 120.0])
def test_a_job_of_a_known_kind_takes_no_more_calls_than_the_pace_allows(
    timed: TimedJobs, length: float, spread: float
) -> None:
    earlier = durations(length, spread)
    for duration in earlier:
        timed.run(duration)
    overrun = 1.45 * max(earlier)
    for duration in (length, length * math.exp(-spread), length * math.exp(spread), overrun):
        timed.run(duration)
        for number, asked in enumerate(timed.api.times("status"), 1):
            assert number <= max(20, asked / 2)


def test_a_job_is_noticed_sooner_as_soon_as_one_of_its_kind_is_known(timed: TimedJobs) -> None:
    late = []
    for _ in range(2):
        timed.run(27.0)
        late.append(timed.api.times("result")[0] - 27.0)
    assert late[1] < late[0] / 2


def test_few_calls_are_made_before_jobs_of_the_kind_end(timed: TimedJobs) -> None:
    for duration in durations(120.0, 0.02):
        timed.run(duration)
    timed.run(120.0)
    asked = timed.api.times("status")
    assert len([at for at in asked if at < 90]) <= 5
    gaps = [later - sooner for sooner, later in pairwise(asked)]
    assert max(gaps) > 20 * gaps[-1], "sparse while the end is unlikely, dense around it"


def test_the_first_job_of_a_kind_is_asked_for_at_once_and_the_next_one_after_a_second(timed: TimedJobs) -> None:
    for first in (0.0, 1.0):
        timed.run(20.0)
        assert timed.api.times("status")[0] == pytest.approx(first, abs=0.11)


@pytest.mark.parametrize("zone", [0.0, 7 * 3600.0, 1.8e9])
def test_a_job_is_learnt_as_it_ended_not_as_it_was_noticed(timed: TimedJobs, zone: float) -> None:
    """Whatever the provider's clock shows: only the time between its own two moments counts."""
    timed.api.created_at = zone
    timed.run(27.0)
    assert timed.api.times("result")[0] > 27.5
    assert timed.journal.durations("model", "1K", 1) == [pytest.approx(27.0)]


def test_a_providers_clock_that_is_wrong_teaches_nothing_that_was_not_seen(timed: TimedJobs) -> None:
    timed.api.created_at, timed.api.slow = 0.0, 100.0
    timed.run(26.0)
    asked = timed.api.times("status")
    assert timed.journal.durations("model", "1K", 1) == [pytest.approx(asked[-1])]
    assert asked[-2] < 26.0


def test_one_long_job_does_not_let_the_quick_ones_wait(timed: TimedJobs) -> None:
    timed.run(600.0)
    timed.run(600.0)
    noticed = []
    for _ in range(8):
        timed.run(30.0)
        noticed += timed.api.times("result")
    assert max(noticed) <= 30 + MAX_GAP
    assert noticed[-1] < 45


@pytest.mark.parametrize("jump", [8 * 3600.0, -3600.0])
def test_a_clock_that_jumps_teaches_nothing(timed: TimedJobs, jump: float) -> None:
    timed.run(20.0)
    timed.run(20.0, jump)
    assert len(timed.api.times("status")) <= 20
    assert all(20 <= duration < 25 for duration in timed.journal.durations("model", "1K", 1))


def test_the_result_is_asked_for_at_once_and_once(timed: TimedJobs) -> None:
    timed.run(17.0)
    assert timed.api.times("result") == [timed.api.times("status")[-1]]


def test_decoding_makes_one_buffer_and_no_second_copy_of_it() -> None:
    files = [file_of(noise(1024, seed=seed), compress_level=1) for seed in range(4)]
    size = 4 * 1024 * 1024 * 3 * 4
    tracemalloc.start()
    try:
        decoder = BatchDecoder(len(files))
        for index, data in enumerate(files):
            decoder.decode(index, data)
        (batch,) = decoder.batches()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batch.numel() * batch.element_size() == size
    assert peak < 1.4 * size


def test_each_size_has_one_buffer() -> None:
    sides = (256, 384, 256, 384)
    files = [file_of(noise(side)) for side in sides]
    decoder = BatchDecoder(4)
    tracemalloc.start()
    try:
        for index, data in enumerate(files):
            decoder.decode(index, data)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Which images have which size is known when the last one is decoded, so each buffer has room for all four.
    assert held < 1.1 * sum(4 * side * side * 3 * 4 for side in {*sides})


@pytest.fixture
def memories(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Floats | None]]:
    """What was taken of the memory, and what was given back."""
    seen: list[tuple[str, Floats | None]] = []
    take, give_back = BufferPool.take, BufferPool.give_back

    def taken(memory: BufferPool, pixels: int) -> Floats | None:
        seen.append(("taken", take(memory, pixels)))
        return seen[-1][1]

    def given_back(memory: BufferPool, what: Floats | None) -> None:
        give_back(memory, what)
        seen.append(("given back", what))

    monkeypatch.setattr(BufferPool, "take", taken)
    monkeypatch.setattr(BufferPool, "give_back", given_back)
    return seen


def test_memory_is_got_ready_while_a_job_runs_and_its_images_are_in_it(
    runner: Runner, api: Emulator, memories: list[tuple[str, Floats | None]]
) -> None:
    api.hold = api.hold_running = True

    async def run() -> list[torch.Tensor]:
        task = asyncio.create_task(
            runner.start(TEXT_TO_IMAGE, prompt="a fox", num_images=2, resolution="0.5K", aspect_ratio="1:1")
        )
        while api.count("status") < 2:
            await asyncio.sleep(0.01)
        assert not memories, "not while it is queued"
        api.hold = False
        while not memories:
            assert not task.done()
            await asyncio.sleep(0.01)
        api.hold_running = False
        batches, *_ = await task
        return batches

    (batch,) = asyncio.run(run())
    threads.finish()
    (_, taken), (event, given_back) = memories
    assert taken is not None and given_back is taken and event == "given back"
    assert np.shares_memory(batch.numpy(), taken)


def test_a_job_that_fails_gives_its_memory_back(
    runner: Runner, api: Emulator, memories: list[tuple[str, Floats | None]]
) -> None:
    api.run_seconds = 1.2
    api.fault(Fault("job", fails="no"))
    with pytest.raises(JobFailed):
        runner.text_to_image(resolution="0.5K")
    threads.finish()
    assert [event for event, _ in memories] == ["taken", "given back"]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells so simply what a process holds")
def test_memory_that_is_got_ready_is_handed_out_by_the_machine() -> None:
    def held() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = held()
    taken = BufferPool().take(2**22)
    assert taken is not None and held() - before > 0.9 * 2**22 * 3 * 4


def test_fewer_images_than_asked_for_do_not_hold_the_memory_of_all(
    runner: Runner, api: Emulator, memories: list[tuple[str, Floats | None]]
) -> None:
    api.run_seconds = 1.2
    api.fault(Fault("job", images=1))
    ((batch,), *_) = runner.text_to_image(num_images=4, resolution="0.5K")
    threads.finish()
    (_, taken), (event, _) = memories
    assert taken is not None and event == "given back"
    assert not np.shares_memory(batch.numpy(), taken)


def test_memory_that_is_got_ready_is_bounded_and_its_lack_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = BufferPool(max_bytes=30_000_000)
    first = memory.take(2**20)
    assert first is not None and first.size >= 3 * 2**20
    second = memory.take(2**20)
    assert second is not None and memory.take(2**20) is None
    memory.give_back(first)
    assert memory.take(2**20) is not None

    def none_left(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "empty", none_left)
    assert memory.take(1) is None
    monkeypatch.undo()
    memory.give_back(second)
    assert memory.take(10**18) is None
    assert memory.take(2**20) is not None, "what could not be had counts for nothing"


@pytest.mark.parametrize(("side", "used"), [(100, True), (106, True), (110, False), (80, False)])
def test_memory_is_used_by_images_that_about_fill_it(side: int, used: bool) -> None:
    memory = BufferPool().take(100 * 100)
    assert memory is not None
    memory[:] = -1
    decoder = BatchDecoder(1, memory)
    decoder.decode(0, file_of(noise(side)))
    (batch,) = decoder.batches()
    assert np.shares_memory(batch.numpy(), memory) is used
    assert torch.equal(batch[0], decoded(file_of(noise(side))))


def test_files_are_fetched_at_the_same_time(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("file", hang=1.5))

    async def run() -> None:
        task = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="a fox", num_images=4))
        while api.count("file") < 4:
            assert not task.done()
            await asyncio.sleep(0.01)
        first = next(call for call in api.calls if call.what == "file")
        assert first.status is None, "the other files were asked for only after the hanging one"
        await task

    asyncio.run(run())


def test_files_are_decoded_as_they_arrive(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("file", hang=1.5))

    async def run() -> None:
        task = asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt="a fox", num_images=3))
        while not runner.host.reports or runner.host.last.done < 2:
            assert not task.done()
            await asyncio.sleep(0.01)
        assert runner.host.last.stage is Stage.DOWNLOADING
        await task

    asyncio.run(run())


def test_only_a_submission_opens_a_connection_once_one_is_warm(
    runner: Runner, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a slow machine the catalogue's answer would come beside the first status.
    monkeypatch.setattr(keep_up, "RUN_WAITS_SECONDS", 30.0)

    def opened() -> int:
        return sum(
            record.getMessage().startswith(("Starting new HTTP", "Resetting dropped")) for record in caplog.records
        )

    caplog.set_level(logging.DEBUG, "urllib3.connectionpool")
    runner.text_to_image("a fox")
    assert opened() == 3, "one for the submission, one for status and result, one for the file"
    caplog.clear()
    runner.text_to_image("a bear")
    assert opened() == 1


def test_a_waiting_job_holds_no_thread(runner: Runner, api: Emulator) -> None:
    api.hold = True
    jobs = 4 * threads.THREADS_OF_A_KIND
    before = threading.active_count()

    async def run() -> None:
        tasks = [asyncio.create_task(runner.start(TEXT_TO_IMAGE, prompt=f"fox {n}")) for n in range(jobs)]
        while len({call.path for call in api.calls if call.what == "status"}) < jobs:
            await asyncio.sleep(0.005)
        assert not any(task.done() for task in tasks)
        assert threading.active_count() - before < jobs
        runner.host.stop_now = True
        await asyncio.gather(*tasks)

    with pytest.raises(Interrupted):
        asyncio.run(run())


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the images that were encoded."""
    seen: list[tuple[int, ...]] = []
    encode = image_input.encode

    def counted(pixels: Pixels, *args: Any) -> Any:
        seen.append(pixels.shape)
        return encode(pixels, *args)

    monkeypatch.setattr(image_input, "encode", counted)
    return seen


def sent(api: Emulator) -> list[list[str]]:
    """Return the references of each accepted job."""
    return [job.body["image_urls"] for job in api.jobs]


def test_twins_encode_once_and_a_rerun_not_at_all(
    runner: Runner, api: Emulator, encodings: list[tuple[int, ...]]
) -> None:
    api.run_seconds = 0.3
    reference = image()

    async def twins() -> None:
        await asyncio.gather(*(runner.start(PRO_EDIT, prompt="blue", image_1=reference) for _ in range(3)))

    asyncio.run(twins())
    assert len(encodings) == 1
    runner.pro_edit("blue", image_1=reference)
    assert len(encodings) == 1


def test_an_image_is_encoded_once_for_every_prompt_socket_and_process(
    runner: Runner, api: Emulator, encodings: list[tuple[int, ...]]
) -> None:
    first, second = image(300, 300), image(310, 310, seed=1)

    async def at_once() -> None:
        await asyncio.gather(
            runner.start(PRO_EDIT, prompt="blue", image_1=first),
            runner.start(PRO_EDIT, prompt="red", image_1=second, image_2=first),
        )

    asyncio.run(at_once())
    threads.finish()
    assert sorted(encodings) == [(300, 300, 3), (310, 310, 3)]
    threads.finish()
    runner.pro_edit("green", image_1=first)
    runner.restart()
    runner.pro_edit("white", image_1=second)
    assert len(encodings) == 2
    by_length = sorted(sent(api), key=len)
    alone, both = by_length[:-1], by_length[-1]
    assert sorted(alone) == sorted([[both[1]], [both[1]], [both[0]]])


@pytest.mark.parametrize("keep_mb", ["0", "1"])
def test_without_room_nothing_of_an_image_stays(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, encodings: list[tuple[int, ...]], keep_mb: str
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_MB", keep_mb)
    for prompt in ("blue", "red"):
        runner.pro_edit(prompt, image_1=image(300, 300))
        threads.finish()
    assert len(encodings) == (2 if keep_mb == "0" else 1)
    assert (runner.state / "encoded").exists() == (keep_mb == "1")


def test_what_is_encoded_as_fast_as_it_is_found_is_not_kept(runner: Runner) -> None:
    runner.pro_edit("blue", image_1=image(40, 40))
    threads.finish()
    assert not (runner.state / "encoded").exists()


@pytest.mark.parametrize("damage", ["digest", "about", "data", "missing", "more", "another's"])
def test_a_damaged_encoding_is_never_sent(
    runner: Runner, api: Emulator, encodings: list[tuple[int, ...]], damage: str
) -> None:
    for seed in (0, 1):
        runner.pro_edit(f"blue {seed}", image_1=image(300, 300, seed=seed))
        threads.finish()
    [folder] = (runner.state / "encoded").glob(f"{content_hash(to_pixels('', image(300, 300))[0])}-*")
    [another] = {*(runner.state / "encoded").iterdir()} - {folder}
    files = sorted(folder.iterdir())
    match damage:
        case "missing":
            files[2].unlink()
        case "more":
            (folder / "03").touch()
        case "another's":
            for file in files:
                file.write_bytes((another / file.name).read_bytes())
        case _:
            file = files[["digest", "about", "data"].index(damage)]
            content = file.read_bytes()
            file.write_bytes(content[:10] + bytes([content[10] ^ 32]) + content[11:])
    runner.pro_edit("red", image_1=image(300, 300))
    threads.finish()
    runner.pro_edit("green", image_1=image(300, 300))
    assert len(encodings) == 3, "encoded again, and kept again"
    first, _, *others = sent(api)
    assert others == [first, first]


def test_an_encoding_for_another_limit_is_another_one(tmp_path: Path) -> None:
    kept = Encoder(FileCache(tmp_path / "encoded", 2**30))
    reference = reference_of("image_1", noise(600))
    large = kept.start(reference, 2_000_000).result()
    threads.finish()
    small = kept.start(reference, 20_000).result()
    assert len(small.data) <= 20_000 < len(large.data)


def test_a_prompt_of_about_the_same_length_finds_shared_references_again(
    tmp_path: Path, encodings: list[tuple[int, ...]]
) -> None:
    references = [reference_of(f"image_{n}", noise(500 + n)) for n in range(3)]
    kept, limits = (
        Encoder(FileCache(tmp_path / "encoded", 2**30)),
        Limits(image_bytes=2_000_000, request_bytes=900_000),
    )
    for prompt in (1000, 1030):
        shared = build.encode_all(references, limits, prompt, kept)
        assert all(300_000 > one.uri_length > 200_000 for one in shared)
        threads.finish()
    assert len(encodings) == 6, "once as they are, once smaller"


@pytest.fixture
def lossless(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The height of each image that was encoded without loss, and the thread."""
    seen: list[tuple[int, str]] = []
    save = Image.Image.save

    def counted(image: Image.Image, file: Any, file_format: str, **options: Any) -> None:
        if options.get("lossless"):
            seen.append((image.height, threading.current_thread().name))
        save(image, file, file_format, **options)

    monkeypatch.setattr(Image.Image, "save", counted)
    return seen


def reference_of(socket: str, pixels: Pixels) -> Reference:
    return Reference("image_urls", socket, ImageContent(pixels), content_hash(pixels))


def test_what_is_far_too_large_without_loss_is_not_encoded_so(lossless: list[tuple[int, str]]) -> None:
    encoded = encode.encode(noise(512), 300_000)
    assert encoded.format == "JPEG"
    foretold, proved = [height for height, _ in lossless]
    assert foretold == 512 // 16, "by a sixteenth of the rows"
    assert proved < 512 // 2, "by so many of the first ones as do not fit either"


def test_references_that_share_a_request_are_not_encoded_without_loss_twice(
    lossless: list[tuple[int, str]],
) -> None:
    references = [
        Reference("image_urls", f"image_{number}", ImageContent(noise(256)), str(number)) for number in range(4)
    ]
    limits = Limits(image_bytes=250_000, request_bytes=400_000)
    encoded = build.encode_all(references, limits, 0, Encoder(FileCache(Path("nowhere"), 0)))
    assert [image.mime for image in encoded] == ["image/jpeg"] * 4
    assert [height for height, _ in lossless] == [256] * 4
    assert all(thread.startswith("runcomfy-coding") for _, thread in lossless)


def test_the_fingerprint_of_a_reference_needs_no_encoding(tmp_path: Path, encodings: list[tuple[int, ...]]) -> None:
    arguments, references = build.check_inputs(PRO_EDIT, {"prompt": "blue", "image_1": image()}, None)
    journal = Journal(tmp_path)
    build.build_request(
        arguments,
        references,
        Encoder(FileCache(tmp_path / "encoded", 0)),
        journal,
        "base",
        "account",
        None,
    )
    journal.close()
    assert encodings == []


def test_nothing_that_blocks_runs_on_the_event_loop(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.run_seconds = 1.2
    threads: dict[str, set[str]] = {}

    def watch(owner: Any, name: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            threads.setdefault(name, set()).add(threading.current_thread().name)
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    blocking = [
        (requests.Session, "send"),
        (Journal, "claim"),
        (Journal, "mark_submitting"),
        (Journal, "mark_submitted"),
        (Journal, "durations"),
        (Journal, "mark_finished"),
        (Journal, "mark_delivered"),
        (CacheWriter, "add"),
        (CacheWriter, "commit"),
        (CacheWriter, "close"),
        (FileCache, "get"),
        (BufferPool, "take"),
        (BatchDecoder, "decode"),
        (BatchDecoder, "batches"),
        (tensors, "to_pixels"),
        (image_input, "content_hash"),
        (image_input, "encode"),
        (fetch, "decode_inline"),
    ]
    for owner, name in blocking:
        watch(owner, name)
    runner.pro_edit("blue", image_1=image(), num_images=2)
    runner.pro_edit("red", image_1=image(), sync_mode=True)
    runner.pro_edit("blue", image_1=image(), num_images=2)
    loop = threading.current_thread().name
    assert [name for name, seen in threads.items() if loop in seen] == []
    assert set(threads) == {name for _, name in blocking}
