"""Hostile answers, through the whole node: nothing is fetched from elsewhere, and no answer does harm."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator

import pytest
from hurry import FILE_CAP, delivered, drawn, hurry, same, service
from makers import file_of, noise, png_by_hand, png_chunk
from support import TEXT_TO_IMAGE, Runner

from emulator import Emulator, Fault
from nodes.core.api import client
from nodes.core.errors import (
    DownloadError,
    PackError,
    ProtocolError,
    SubmissionUnknown,
    TooLarge,
    Undecodable,
    UntrustedUrl,
)

INPUTS: dict[str, object] = {"prompt": "a fox", "resolution": "0.5K"}


@pytest.fixture(autouse=True)
def _hurried(runner: Runner) -> None:
    assert not runner.state.exists()
    hurry()


@pytest.fixture
def evil() -> Iterator[Emulator]:
    """Another server, which nobody should ever call."""
    with Emulator() as emulator:
        yield emulator
        assert emulator.calls == []


def deliver(runner: Runner) -> None:
    """Run until the images are there, and check them."""
    batches, _, request_id = runner.run(TEXT_TO_IMAGE, **INPUTS)
    job = next(job for job in runner.api.jobs if job.request_id == request_id)
    assert same(delivered(batches), drawn(runner.api, job))


@pytest.mark.parametrize("place", ["status", "result", "cancel"])
def test_no_call_follows_a_redirect_with_the_token(
    runner: Runner, api: Emulator, evil: Emulator, place: str
) -> None:
    api.fault(Fault(place, redirect=f"{evil.origin}/v1/steal", times=2))
    deliver(runner)
    assert len(api.billed) == 1


def test_no_file_is_fetched_from_another_server(runner: Runner, api: Emulator, evil: Emulator) -> None:
    for answer in (
        Fault("result", edit=lambda result: result | {"output": {"image": f"{evil.origin}/files/x/0.png"}}),
        Fault("file", redirect=f"{evil.origin}/files/x/0.png"),
    ):
        api.fault(answer)
        with pytest.raises(UntrustedUrl):
            runner.run(TEXT_TO_IMAGE, **INPUTS)
    deliver(runner)
    assert len(api.billed) == 1


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.1.1", "224.0.0.1",
     "::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"],
)  # fmt: skip
def test_a_trusted_name_that_leads_to_a_private_address_is_not_fetched(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolve = socket.getaddrinfo

    def lead_home(host: str, port: object, *more: object, **names: object):  # type: ignore[no-untyped-def]
        if str(host).endswith(".runcomfy.net"):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
        return resolve(host, port, *more, **names)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lead_home)
    url = "https://files.runcomfy.net/x.png"
    api.fault(Fault("result", edit=lambda result: result | {"output": {"image": url}}))
    with pytest.raises(UntrustedUrl, match=r"(?s)not public.*Charged: yes.*Request: "):
        runner.run(TEXT_TO_IMAGE, **INPUTS)
    deliver(runner)
    assert len(api.billed) == 1


NASTY = {
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "endless number": b'{"status": "completed", "queue_position": ' + b"9" * 10_000 + b"}",
    "infinite": b'{"status": "completed", "cost": Infinity, "queue_position": NaN}',
    "no utf-8": b'{"status": "\xff\xfe"}',
    "utf-16": '{"status": "in_progress"}'.encode("utf-16"),
    "nul": b"\0" * 999,
    "null": b"null",
    "empty object": b"{}",
    "twice": b'{"status": "in_queue"} {"status": "completed"}',
    "gzip": zlib.compress(b'{"status": "completed"}'),
    "script": b"<script>alert(1)</script>",
}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in NASTY.items()])
@pytest.mark.parametrize("place", ["status", "result"])
def test_no_json_breaks_a_run(runner: Runner, api: Emulator, place: str, content: bytes) -> None:
    api.fault(Fault(place, content=content, content_type="application/json"))
    try:
        deliver(runner)
    except PackError as error:
        assert "Request: " in str(error) and "Next: " in str(error)
        deliver(runner)
    assert len(api.billed) == 1


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in NASTY.items()])
def test_no_json_is_taken_for_an_accepted_job(runner: Runner, api: Emulator, content: bytes) -> None:
    api.fault(Fault("submit", content=content, content_type="application/json"))
    with pytest.raises(SubmissionUnknown):
        runner.run(TEXT_TO_IMAGE, **INPUTS)
    deliver(runner)


BLACK = bytes(8 * (1 + 8 * 3))
"""The rows of 8x8 pixels, each after its filter."""
HUGE = zlib.compress(bytes(200 * 2**20), 9)
BOMBS: dict[str, tuple[bytes, type[DownloadError]]] = {
    "900 megapixels": (png_by_hand(30_000, 30_000), TooLarge),
    "one row of two thousand million": (png_by_hand(2**31 - 1, 1), TooLarge),
    "a text of 200 MB": (png_by_hand(8, 8, png_chunk(b"zTXt", b"Comment\0\0" + HUGE), rows=BLACK), Undecodable),
    "a profile of 200 MB": (png_by_hand(8, 8, png_chunk(b"iCCP", b"sRGB\0\0" + HUGE), rows=BLACK), Undecodable),
    "pixels that are not there": (png_by_hand(4000, 4000), Undecodable),
    "nothing but a header": (b"\x89PNG\r\n\x1a\n", Undecodable),
    "a chunk longer than the file": (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", Undecodable),
    "a JPEG's beginning": (b"\xff\xd8\xff\xe0" + bytes(64), Undecodable),
    "a WebP's beginning": (b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(64), Undecodable),
    "a TIFF": (b"II*\0" + bytes(64), Undecodable),
    "an EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(64), Undecodable),
}


@pytest.mark.parametrize(("file", "kind"), [pytest.param(*bomb, id=name) for name, bomb in BOMBS.items()])
def test_a_bomb_is_a_receipt_and_the_job_stays(
    runner: Runner, api: Emulator, file: bytes, kind: type[DownloadError]
) -> None:
    api.fault(Fault("file", content=file, content_type="image/png", times=3))
    with pytest.raises(kind, match=r"(?s)Charged: yes, \$0\.10.*Request: .*Next: "):
        runner.run(TEXT_TO_IMAGE, **INPUTS)
    api.clear_faults()
    deliver(runner)
    assert len(api.billed) == 1


def test_a_file_is_read_up_to_its_cap_and_no_further(runner: Runner, api: Emulator) -> None:
    large = file_of(noise(1400), compress_level=0)
    assert len(large) > FILE_CAP
    api.fault(Fault("job", files=[large]))
    with pytest.raises(TooLarge, match=r"at most \d+ KiB are read|at most \d+\.\d+ MiB are read"):
        runner.run(TEXT_TO_IMAGE, **INPUTS)
    service().jobs.downloader.max_bytes = 2 * len(large)
    deliver(runner)
    assert len(api.billed) == 1


def test_an_endless_result_is_fetched_once_a_run(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_RESULT_BYTES", 2 * 2**20)
    api.fault(Fault("result", endless=True, times=2))
    for count in (1, 2):
        with pytest.raises(ProtocolError, match=r"(?s)has more than 2\.00 MiB.*does not pay twice"):
            runner.run(TEXT_TO_IMAGE, **INPUTS)
        assert api.count("result") == count
    deliver(runner)
    assert len(api.billed) == 1


def test_an_endless_file_is_fetched_once_a_run(runner: Runner, api: Emulator) -> None:
    api.fault(Fault("file", endless=True, times=2))
    for count in (1, 2):
        with pytest.raises(TooLarge):
            runner.run(TEXT_TO_IMAGE, **INPUTS)
        assert api.count("file") == count
    deliver(runner)
    assert len(api.billed) == 1


@pytest.mark.parametrize("cost", [1e300, -1e300, 10**400, "1e300"])
def test_a_cost_that_is_no_price_is_not_known_and_uses_up_no_budget(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch, cost: object
) -> None:
    monkeypatch.setenv("RUNCOMFY_DAILY_BUDGET_USD", "5")
    api.fault(Fault("result", edit=lambda result: result | {"cost": cost}))
    deliver(runner)
    assert "1e+300" not in runner.host.text
    runner.run(TEXT_TO_IMAGE, prompt="another", resolution="0.5K")
    assert len(api.billed) == 2
