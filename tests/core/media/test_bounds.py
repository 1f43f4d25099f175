"""No file of a result makes more work or takes more memory than its job is worth."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable

import pytest
from hurry import delivered, drawn, hurry, same
from PIL import Image
from support import Runner

from emulator import Emulator, Fault
from nodes.core.errors import Charge, PackError, TooLarge
from nodes.core.media import bounds, pixels
from nodes.core.media.bounds import LEAST_FILES, MAX_PIXELS, check_file_count, check_scans
from nodes.core.media.outputs import image
from nodes.core.media.tensors import BatchDecoder

SECONDS = 5.0
COUNT = 2_000_000


def progressive(side: int) -> bytes:
    made = io.BytesIO()
    Image.new("L", (side, side), 128).save(made, "JPEG", progressive=True)
    return made.getvalue()


def with_scans(side: int, count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes ``count`` times more."""
    whole = progressive(side)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * count + whole[-2:]


def jpeg(before: bytes) -> bytes:
    """Return a JPEG with something before its first segment."""
    whole = progressive(8)
    return whole[:2] + before + whole[2:]


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(before: bytes = b"", data_chunks: int = 1, side: int = 8) -> bytes:
    """Return a PNG with something before its pixels, which lie in ``data_chunks`` chunks and empty ones."""
    rows = zlib.compress(bytes((3 * side + 1) * side), 0)
    step = -(-len(rows) // data_chunks)
    data = b"".join(chunk(b"IDAT", rows[at : at + step]) for at in range(0, len(rows), step))
    data += chunk(b"IDAT") * (data_chunks - len(rows) // step - 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + data + chunk(b"IEND")


def table(count: int, size: int) -> bytes:
    """Return EXIF of ``count`` entries that all name the same ``size`` bytes."""
    head = b"MM\0*\0\0\0\x08" + struct.pack(">H", count)
    return head + struct.pack(">HHII", 0x9286, 7, size, 0) * count


HOSTILE: dict[str, Callable[[], bytes]] = {
    "scans over a million pixels": lambda: with_scans(1000, 3000),
    "scans over as many pixels as there may be": lambda: with_scans(8000, 16),
    "scans over few pixels": lambda: with_scans(16, COUNT),
    "chunks before the pixels": lambda: png(chunk(b"prIv") * COUNT),
    "chunks without pixels": lambda: png(data_chunks=COUNT),
    "fill bytes": lambda: jpeg(b"\xff" * 20 * COUNT),
    "bytes between segments": lambda: jpeg(segment(0xFE, b"") + bytes(20 * COUNT)),
    "empty comments": lambda: jpeg(segment(0xFE, b"") * COUNT),
    "parts of EXIF": lambda: jpeg(segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 1500),
    "resources": lambda: jpeg(segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04" + bytes(6) * 5000) * 1500),
}
HARMLESS: dict[str, Callable[[], bytes]] = {
    "a progressive JPEG": lambda: progressive(4000),
    "fifty scans": lambda: with_scans(2000, 44),
    "a PNG in chunks of 4 KiB": lambda: png(data_chunks=12_000, side=4000),
    "a profile of 2 MiB": lambda: jpeg(segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(65_000)) * 32),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_work_beyond_reason_is_refused_before_it_is_done(make: Callable[[], bytes]) -> None:
    data = make()
    began = time.process_time()
    with pytest.raises(TooLarge) as raised:
        BatchDecoder(1).decode(0, data)
    assert raised.value.failure.kind == "file_takes_too_long"
    assert time.process_time() - began < SECONDS


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda: png(chunk(b"eXIf", table(65_535, 8_000_000) + bytes(8_000_000))),
        lambda: jpeg(segment(0xE1, b"Exif\0\0" + table(5000, 60_000)) * 4),
    ],
    ids=["PNG", "JPEG"],
)
def test_a_table_of_entries_that_all_name_the_same_bytes_is_not_worked_off(make: Callable[[], bytes]) -> None:
    data = make()
    began = time.process_time()
    BatchDecoder(1).decode(0, data)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("make", HARMLESS.values(), ids=HARMLESS)
def test_what_encoders_write_is_decoded(make: Callable[[], bytes]) -> None:
    decoder = BatchDecoder(1)
    decoder.decode(0, make())
    assert len(decoder.batches()) == 1


def test_ten_scans_are_allowed_over_as_many_pixels_as_there_may_be() -> None:
    check_scans(with_scans(8, 4), MAX_PIXELS)


# What was asked for


@pytest.mark.parametrize(("found", "wanted"), [(1, 1), (LEAST_FILES, 1), (LEAST_FILES, 0), (40, 20)])
def test_some_more_files_than_were_asked_for_are_taken(found: int, wanted: int) -> None:
    check_file_count(found, wanted)


@pytest.mark.parametrize(("found", "wanted"), [(LEAST_FILES + 1, 1), (LEAST_FILES + 1, 8), (41, 20), (10**6, 4)])
def test_many_more_files_than_were_asked_for_are_not(found: int, wanted: int) -> None:
    with pytest.raises(TooLarge, match=str(found)):
        check_file_count(found, wanted)


def test_pixels_are_counted_over_all_files_and_a_file_that_is_tried_again_once() -> None:
    file = png(side=100)
    decoder = BatchDecoder(3, most_pixels=25_000)
    for index in (0, 0, 1, 1, 0):
        decoder.decode(index, file)
    with pytest.raises(TooLarge, match=r"30000 pixels together.*at most 25000"):
        decoder.decode(2, file)


def test_no_memory_left_is_a_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pixels.np, "empty", fail)
    with pytest.raises(TooLarge) as raised:
        BatchDecoder(1).decode(0, png())
    assert raised.value.failure.kind == "no_memory_left"
    assert raised.value.failure.charge is Charge.YES


def deliver(runner: Runner) -> None:
    batches, _, request_id = runner.text_to_image(resolution="0.5K")
    job = next(job for job in runner.api.jobs if job.request_id == request_id)
    assert same(delivered(batches), drawn(runner.api, job))


def test_more_pixels_than_were_asked_for_leave_the_job_recoverable(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry()
    monkeypatch.setattr(image, "MAX_PIXELS", 512 * 512)
    api.fault(Fault("job", files=[png(side=200)] * 12))
    batches, _, _ = runner.text_to_image(resolution="0.5K")
    assert sum(map(len, batches)) == 512 * 512 // 200**2
    assert runner.host.last.text().count("pixels together") == 12 - 512 * 512 // 200**2
    assert [job.state for job in runner.jobs()] == ["submitted"]
    monkeypatch.setattr(image, "MAX_PIXELS", MAX_PIXELS)
    deliver(runner)
    assert len(api.billed) == 1


def test_more_files_than_were_asked_for_are_not_even_fetched(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry()
    api.fault(Fault("job", files=[png()] * (LEAST_FILES + 1)))
    with pytest.raises(TooLarge, match=r"(?s)has 17 files.*Charged: yes.*Request: "):
        runner.text_to_image(resolution="0.5K")
    assert api.count("file") == 0
    assert [job.state for job in runner.jobs()] == ["submitted"]
    monkeypatch.setattr(bounds, "LEAST_FILES", LEAST_FILES + 1)
    deliver(runner)
    assert len(api.billed) == 1


def test_no_memory_for_the_inputs_is_a_receipt(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("nodes.app.run.check_inputs", fail)
    with pytest.raises(PackError) as raised:
        runner.text_to_image()
    assert raised.value.failure.kind == "out_of_memory"
    assert runner.host.last.failure == raised.value.failure
