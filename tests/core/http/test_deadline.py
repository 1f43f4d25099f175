"""One deadline over a whole call, whatever crawls; and only final answers are taken for an answer."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from peers import Peer, answer

from nodes.core import urls
from nodes.core.errors import AnswerLost, PackError
from nodes.core.http.download import Download, Downloader, Trust
from nodes.core.http.transport import Answer, Transport
from nodes.core.version import USER_AGENT

SECONDS = 0.4
REMOTE = "http://model-api.example.com"
Talk = Callable[[socket.socket], None]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextlib.contextmanager
def transport(origin: str) -> Iterator[Transport]:
    made = Transport("secret-token-0123456789", frozenset({urls.origin(origin)}), USER_AGENT)
    yield made
    made.close()


def call(origin: str, method: str = "GET", body: bytes | None = None) -> Answer:
    with transport(origin) as made:
        return made.call(method, f"{origin}/v1/thing", body=body, timeout=SECONDS)


def fetch(origin: str) -> bytes:
    downloader = Downloader(Trust((), urls.origin(origin)), USER_AGENT, timeout=SECONDS)
    try:
        return Download(downloader, f"{origin}/a.png").attempt()
    finally:
        downloader.close()


def drip(*parts: bytes, head: bytes = b"", seconds: float = 0.05) -> Talk:
    """Send the head at once, then the parts for ever, byte by byte, with a pause after each."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        for part in itertools.cycle(parts):
            for byte in part:
                connection.sendall(bytes([byte]))
                time.sleep(seconds)

    return talk


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
CRAWLING = {
    "status line": drip(b"0", head=b"HTTP/1.1 2"),
    "header": drip(b"a", head=b"HTTP/1.1 200 OK\r\nX-Long: "),
    "headers": drip(b"X-Some: a\r\n", head=b"HTTP/1.1 200 OK\r\n", seconds=0.01),
    "continue": drip(b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0.002),
    "early hints": drip(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", seconds=0.002),
    "continue at full speed": drip(b"HTTP/1.1 100 Continue\r\n\r\n", seconds=0),
    "length": drip(b" ", head=CHUNKED + b"2"),
    "trailer": drip(b"a", head=CHUNKED + b"0\r\nX-Sum: "),
    "trailers": drip(b"X-Sum: a\r\n", head=CHUNKED + b"0\r\n", seconds=0.002),
    "trailers at full speed": drip(b"X-Sum: a\r\n", head=CHUNKED + b"0\r\n", seconds=0),
    "body": drip(b"a", head=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
}


@pytest.mark.parametrize("talk", CRAWLING.values(), ids=CRAWLING)
@pytest.mark.parametrize("make", [call, fetch])
def test_an_answer_that_crawls_is_given_up_in_time(
    request: pytest.FixtureRequest, talk: Talk, make: Callable[[str], object]
) -> None:
    with Peer(talk) as peer:
        began = time.monotonic()
        with pytest.raises(AnswerLost) as raised:
            make(peer.origin)
        assert "continue" in request.node.name or raised.value.failure.kind == "answer_late"
        assert time.monotonic() - began < 3 * SECONDS


def test_an_answer_over_tls_that_crawls_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path], tls: ssl.SSLContext
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with Peer(CRAWLING["header"], tls) as peer:
        began = time.monotonic()
        with pytest.raises(AnswerLost):
            call(peer.origin, "POST", b"{}")
        assert time.monotonic() - began < 3 * SECONDS


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_crawls_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with Peer(CRAWLING["header"]) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.origin)
        began = time.monotonic()
        with pytest.raises(PackError):
            call(REMOTE.replace("http", scheme))
        assert time.monotonic() - began < 3 * SECONDS
    assert proxy.heads[0][""].startswith("CONNECT" if scheme == "https" else "GET")


def test_a_request_that_is_taken_in_sips_is_given_up_in_time() -> None:
    stop = threading.Event()

    def sip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while not stop.wait(0.02) and connection.recv(16384):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        thread = threading.Thread(target=sip, args=(listener,), daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(AnswerLost):
            call(f"http://127.0.0.1:{listener.getsockname()[1]}", "POST", b"x" * 2**25)
        assert time.monotonic() - began < 3 * SECONDS
        stop.set()
        thread.join(10)


def test_a_connection_that_took_long_is_used_again_with_all_of_its_time() -> None:
    turns = iter([0.6 * SECONDS] * 3)

    def slow(connection: socket.socket) -> None:
        time.sleep(next(turns))
        connection.sendall(answer(b"{}"))

    with Peer(slow) as peer, transport(peer.origin) as made:
        for _ in range(3):
            assert made.call("GET", f"{peer.origin}/a", timeout=SECONDS).status == 200
    assert peer.connections == 1


# Interim answers

INTERIM = ["100 Continue", "102 Processing", "103 Early Hints", "199 Whatever"]


@pytest.mark.parametrize("status", INTERIM)
@pytest.mark.parametrize("count", [1, 5])
def test_an_interim_answer_is_not_the_answer(status: str, count: int) -> None:
    numbers = itertools.count()

    def talk(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nX-Early: yes\r\n\r\n".encode() * count)
        time.sleep(0.02)
        connection.sendall(answer(str(next(numbers)).encode()))

    with Peer(talk) as peer, transport(peer.origin) as made:
        found = [made.call("GET", f"{peer.origin}/{number}", timeout=5.0) for number in range(4)]
        assert [(one.status, one.json()) for one in found] == [(200, number) for number in range(4)]
        assert "x-early" not in found[0].headers
        posted = made.call("POST", f"{peer.origin}/4", body=b"{}", timeout=5.0)
        assert (posted.status, posted.json()) == (200, 4)
    assert peer.connections == 5, "a connection with an interim answer is not used again"


def test_a_file_behind_an_interim_answer_is_that_file() -> None:
    numbers = itertools.count()

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.02)
        connection.sendall(answer(str(next(numbers)).encode()))

    with Peer(talk) as peer:
        downloader = Downloader(Trust((), urls.origin(peer.origin)), USER_AGENT)
        files = [Download(downloader, f"{peer.origin}/{number}").attempt() for number in range(3)]
        downloader.close()
    assert files == [b"0", b"1", b"2"]


def test_a_change_of_protocol_is_no_answer() -> None:
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    with Peer(switching + answer(b"{}")) as peer, transport(peer.origin) as made:
        for _ in range(2):
            with pytest.raises(AnswerLost):
                made.call("GET", f"{peer.origin}/a", timeout=5.0)
    assert peer.connections == 2
