"""The seam to the network, over real sockets: who sees the token, what is capped, what a failure proves."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
import urllib3
from peers import Peer, answer, hang_up, reset
from support import Runner, image

from emulator import Answers, Emulator, Fault
from nodes.core import urls
from nodes.core.api.client import Client, Timeouts
from nodes.core.api.retry import Operation, delay_after
from nodes.core.errors import (
    AnswerLost,
    ConnectionFailed,
    PackError,
    ProtocolError,
    Rejected,
    ServerFault,
    SubmissionUnknown,
    TooLarge,
    Undecodable,
    UntrustedUrl,
)
from nodes.core.http.download import Download, Downloader, Trust
from nodes.core.http.transport import Answer, Transport, network_failure
from nodes.core.version import USER_AGENT

TOKEN = "secret-token-0123456789"
REMOTE = "https://model-api.example.com"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*PROXIES, *map(str.lower, PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections: it is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def call(
    origin: str, method: str = "GET", body: bytes | None = None, timeout: float = 10.0, cap: int = 2**20
) -> Answer:
    transport = Transport(TOKEN, frozenset({urls.origin(origin)}), USER_AGENT)
    try:
        return transport.call(method, f"{origin}/v1/thing", body=body, timeout=timeout, max_bytes=cap)
    finally:
        transport.close()


def failure(origin: str, **options: object) -> PackError:
    with pytest.raises(PackError) as raised:
        call(origin, **options)  # type: ignore[arg-type]
    assert TOKEN not in str(raised.value) + repr(raised.value)
    return raised.value


def refused_connection(origin: str, **options: object) -> ConnectionFailed:
    """Fail as a read and as a submission: both times it is known that nothing was sent."""
    found = failure(origin, **options)
    assert isinstance(found, ConnectionFailed), found
    assert type(failure(origin, method="POST", body=b"{}", **options)) is ConnectionFailed
    return found


def client(origin: str, seconds: float = 10.0) -> Client:
    return Client(f"{origin}/v1", TOKEN, USER_AGENT, timeouts=Timeouts(seconds, seconds, seconds))


def drip(data: bytes, seconds: float = 0.02) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(seconds)

    return talk


# What is sent


def test_the_token_and_the_packs_name_are_sent() -> None:
    with Peer(answer(b'{"a": 1}', X_Other="yes")) as peer:
        found = call(peer.origin)
        assert (found.status, found.json(), found.headers["x-other"]) == (200, {"a": 1}, "yes")
    (head,) = peer.heads
    assert head[""] == "GET /v1/thing HTTP/1.1"
    assert head["authorization"] == f"Bearer {TOKEN}"
    assert head["user-agent"] == USER_AGENT
    assert head["accept-encoding"] == "identity"
    assert "content-type" not in head


def test_a_body_is_sent_whole_as_json() -> None:
    body = b'{"prompt": "' + b"x" * 3_000_000 + b'"}'
    with Peer(answer()) as peer:
        call(peer.origin, method="POST", body=body)
    (head,) = peer.heads
    assert peer.requests[0].partition(b"\r\n\r\n")[2] == body
    assert head["content-type"] == "application/json"
    assert head["content-length"] == str(len(body))
    assert "transfer-encoding" not in head


def test_reads_share_a_connection_and_a_submission_has_its_own() -> None:
    with Peer(answer()) as peer:
        transport = Transport(TOKEN, frozenset({urls.origin(peer.origin)}), USER_AGENT)
        for _ in range(3):
            transport.call("GET", f"{peer.origin}/a")
        assert peer.connections == 1
        for _ in range(2):
            transport.call("POST", f"{peer.origin}/a", body=b"{}")
        assert peer.connections == 3
        transport.close()
    assert [head.get("connection") for head in peer.heads[3:]] == ["close", "close"]


def test_the_token_goes_to_no_other_origin() -> None:
    with Peer(answer()) as api, Peer(answer()) as other:
        transport = Transport(TOKEN, frozenset({urls.origin(api.origin)}), USER_AGENT)
        for url in (other.origin, api.origin.replace("http", "https", 1), f"http://localhost:{api.port}"):
            with pytest.raises(ConnectionFailed) as raised:
                transport.call("GET", f"{url}/v1/thing")
            assert not raised.value.may_repeat
        transport.close()
    assert other.requests == api.requests == []


def test_addresses_that_an_answer_names_never_get_the_token(runner: Runner, api: Emulator) -> None:
    api.answers = Answers(urls="foreign")
    runner.pro_edit(image_1=image(8, 8))
    for made in api.calls:
        assert ("Authorization" in made.headers) == (made.what != "file")
        assert made.headers["User-Agent"] == USER_AGENT
    assert {made.what for made in api.calls} >= {"submit", "status", "result", "file"}


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_netrc_never_replaces_the_token_and_never_goes_to_a_file_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    path = tmp_path / ("elsewhere" if by_variable else ".netrc")
    path.write_text("machine 127.0.0.1 login someone password else\ndefault login any password one\n")
    path.chmod(0o600)
    if by_variable:
        monkeypatch.setenv("NETRC", str(path))
    with Peer(answer()) as peer:
        assert requests.utils.get_netrc_auth(peer.origin) == ("someone", "else"), "the file is one that counts"
        call(peer.origin)
        call(peer.origin, method="POST", body=b"{}")
        downloader = Downloader(Trust((), urls.origin(peer.origin)), USER_AGENT)
        assert Download(downloader, f"{peer.origin}/a.png").attempt() == b"{}"
        downloader.close()
    assert [head.get("authorization") for head in peer.heads] == [f"Bearer {TOKEN}"] * 2 + [None]


def test_cookies_are_not_kept() -> None:
    with Peer(answer(Set_Cookie="session=1; Path=/")) as peer:
        transport = Transport(TOKEN, frozenset({urls.origin(peer.origin)}), USER_AGENT)
        transport.call("GET", f"{peer.origin}/a")
        transport.call("GET", f"{peer.origin}/a")
        transport.close()
    assert [head.get("cookie") for head in peer.heads] == [None, None]


# Redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("body", [b"", b"<html>moved</html>"])
def test_a_redirect_is_an_answer_and_is_not_followed(status: str, body: bytes) -> None:
    with Peer(answer()) as other, Peer(answer(body, status, Location=f"{other.origin}/v1/thing")) as peer:
        for found in (call(peer.origin), call(peer.origin, method="POST", body=b"{}")):
            assert (found.status, found.body) == (int(status[:3]), body)
    assert len(peer.requests) == 2
    assert other.requests == []


@pytest.mark.parametrize("location", ["https://[bad", "", "://", "http://a:port/", "\xff\xfe", "x" * 9000])
def test_a_redirect_to_nowhere_is_an_answer_too(location: str) -> None:
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode("latin-1") + b"\r\n\r\n"
    with Peer(head) as peer:
        assert call(peer.origin).status == 302
        with pytest.raises(SubmissionUnknown, match="redirect"):
            client(peer.origin).submit("a/b", b"{}")


def test_the_body_of_a_redirect_is_capped_like_any_other() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    with Peer(endless) as peer:
        assert isinstance(failure(peer.origin, cap=100_000), TooLarge)


# Bounds


@pytest.mark.parametrize(
    "head", [b"Content-Length: 5000\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"]
)
def test_a_body_that_drips_is_given_up_in_time(head: bytes) -> None:
    body = b"1\r\n \r\n" * 5000 if b"chunked" in head else b" " * 5000
    began = time.monotonic()
    with Peer(drip(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body, 0.002)) as peer:
        found = failure(peer.origin, timeout=0.3)
    assert isinstance(found, AnswerLost)
    assert time.monotonic() - began < 8, "the whole of it would take ten seconds and more"


def test_an_answer_that_never_begins_is_given_up_in_time() -> None:
    waiting = threading.Event()
    with Peer(lambda _: waiting.wait(20) and None) as peer:
        found = failure(peer.origin, timeout=0.2)
        waiting.set()
    assert isinstance(found, AnswerLost)


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_is_read_up_to_its_cap(announced: bool) -> None:
    body = b"x" * 1001
    whole = answer(body) if announced else b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + body
    with Peer(whole + (b"" if announced else b"\r\n0\r\n\r\n")) as peer:
        assert call(peer.origin, cap=1001).body == body
        found = failure(peer.origin, cap=1000)
    assert isinstance(found, TooLarge)
    assert found.failure.note.params["limit_bytes"] == 1000


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_an_answer_compressed_unasked_is_read(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    body = b'{"request_id": "a"}' * 50
    with Peer(answer(compress(body), Content_Encoding=encoding)) as peer:
        assert call(peer.origin).body == body
        assert isinstance(failure(peer.origin, cap=len(body) - 1), TooLarge)


@pytest.mark.parametrize("body", [b"{}", gzip.compress(b"{}" * 99, mtime=0)[:-9]])
def test_a_damaged_compressed_answer_is_lost(body: bytes) -> None:
    with Peer(answer(body, Content_Encoding="gzip")) as peer:
        assert isinstance(failure(peer.origin), AnswerLost)


def test_an_endless_answer_ends(api: Emulator) -> None:
    api.fault(Fault("status", endless=True))
    reader = client(api.origin)
    with pytest.raises(ProtocolError):
        reader.status("any")
    reader.close()


@pytest.mark.parametrize("length", ["-1", "five", "1e3", "\u0661", ""])
def test_a_length_that_is_none_is_not_believed(length: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n".encode()

    def talk(connection: socket.socket) -> None:
        connection.sendall(head + b"[1]")
        hang_up(connection)

    with Peer(talk) as peer:
        try:
            assert call(peer.origin).json() == [1]
        except AnswerLost:
            assert length == "\u0661", "bytes that are no header at all"


# What a failure proves


def test_a_refused_connection_sent_nothing(closed_port: int) -> None:
    found = refused_connection(f"http://127.0.0.1:{closed_port}")
    assert found.may_repeat
    assert found.failure.kind == "server_unreachable"


@pytest.mark.parametrize(
    "talk",
    [
        reset,
        hang_up,
        lambda connection: (connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le"), reset(connection)),
        lambda connection: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            hang_up(connection),
        ),
        lambda connection: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            reset(connection),
        ),
        lambda connection: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
            hang_up(connection),
        ),
        lambda connection: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
            hang_up(connection),
        ),
        lambda connection: (connection.sendall(b"SSH-2.0-OpenSSH\r\n"), hang_up(connection)),
        lambda connection: (connection.sendall(b"\x00" * 70_000), hang_up(connection)),
    ],
    ids=["reset", "closed", "half a head", "short", "short reset", "half a chunk", "bad chunk", "ssh", "zeros"],
)
def test_what_was_sent_and_not_answered_whole_is_lost(talk: Callable[[socket.socket], None]) -> None:
    with Peer(talk) as peer:
        assert isinstance(failure(peer.origin), AnswerLost)
        assert isinstance(failure(peer.origin, method="POST", body=b"{}"), AnswerLost)
        with pytest.raises(SubmissionUnknown, match="may have been accepted"):
            client(peer.origin).submit("a/b", b"{}")


def test_a_certificate_that_nobody_signed_is_named(tls: ssl.SSLContext) -> None:
    with Peer(answer(), tls) as peer:
        found = refused_connection(peer.origin)
    assert found.failure.kind == "certificate_untrusted"
    assert "REQUESTS_CA_BUNDLE" in str(found)
    assert not found.may_repeat
    assert peer.requests == []


def test_certificates_of_the_environment_are_trusted(
    tls: ssl.SSLContext, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with Peer(answer(b"[2]"), tls) as peer:
        assert call(peer.origin).json() == [2]
        assert call(peer.origin, method="POST", body=b"{}").status == 200


@pytest.mark.parametrize("content", [None, "no certificate", ""])
def test_a_file_of_certificates_that_is_none_sent_nothing(
    tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with Peer(answer(), tls) as peer:
        found = failure(peer.origin, method="POST", body=b"{}")
    assert isinstance(found, ConnectionFailed)
    assert peer.requests == []
    if content is None:
        assert found.failure.kind == "ca_bundle_missing"
        assert "REQUESTS_CA_BUNDLE" in str(found)


@pytest.mark.parametrize("parting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["a reset", "plain http"])
def test_a_server_that_ends_the_handshake_was_sent_nothing(parting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def leave() -> None:
            connection, _ = listener.accept()
            connection.recv(10)
            connection.sendall(parting)
            reset(connection)

        thread = threading.Thread(target=leave, daemon=True)
        thread.start()
        found = failure(f"https://127.0.0.1:{listener.getsockname()[1]}", method="POST", body=b"{}")
        thread.join(10)
    assert type(found) is ConnectionFailed


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    with Peer(answer(b"no", status, Connection="close")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hush@127.0.0.1:{proxy.port}")
        found = refused_connection(REMOTE)
    assert found.failure.kind == "proxy_refused"
    assert "HTTPS_PROXY" in str(found)
    assert not found.may_repeat
    assert "hush" not in str(found)
    assert all(head[""].startswith("CONNECT model-api.example.com:443 ") for head in proxy.heads)
    assert not [request for request in proxy.requests if TOKEN.encode() in request], (
        "the proxy never sees the token"
    )


@pytest.mark.parametrize("talk", [reset, hang_up], ids=["reset", "closed"])
def test_a_proxy_that_hangs_up_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, talk: Callable[[socket.socket], None]
) -> None:
    with Peer(talk) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        assert type(failure(REMOTE, method="POST", body=b"{}")) is ConnectionFailed


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hush@127.0.0.1:{closed_port}")
    found = refused_connection(REMOTE)
    assert found.failure.kind == "proxy_unreachable"
    assert found.may_repeat
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1080", "foo://127.0.0.1:1", "http://:::bad", "http://127.0.0.1:99999", "http://"]
)
def test_a_proxy_that_cannot_be_used_sent_nothing(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    found = refused_connection(REMOTE)
    assert not found.may_repeat
    assert "proxy" in found.message.lower()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_this_machine_is_reached_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, closed_port: int, variable: str
) -> None:
    # A proxy cannot reach the emulator, and over plain http it would read the token.
    monkeypatch.setenv(variable, f"http://127.0.0.1:{closed_port}")
    with Peer(answer(b"[3]")) as peer:
        assert call(peer.origin).json() == [3]
        assert call(peer.origin.replace("127.0.0.1", "localhost"), method="POST", body=b"{}").status == 200
        downloader = Downloader(Trust((), urls.origin(peer.origin)), USER_AGENT)
        assert Download(downloader, f"{peer.origin}/a.png").attempt() == b"[3]"
        downloader.close()


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectTimeout(
            urllib3.exceptions.MaxRetryError(
                None,  # type: ignore[arg-type]
                "/",
                urllib3.exceptions.ConnectTimeoutError("Connection to model-api.example.com timed out."),
            )
        ),
        urllib3.exceptions.NewConnectionError(None, "refused"),  # type: ignore[arg-type]
    ],
)
def test_a_connection_that_timed_out_sent_nothing(error: Exception) -> None:
    assert isinstance(network_failure(error), ConnectionFailed)


@pytest.mark.parametrize(
    "error",
    [
        OSError("anything"),
        TimeoutError(),
        ConnectionResetError(104, "reset"),
        ssl.SSLError(1, "decryption failed"),
        requests.RequestException(),
        requests.ReadTimeout(f"https://someone:hush@proxy {TOKEN}"),
        urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")),
        urllib3.exceptions.HTTPError(),
    ],
)
def test_without_proof_an_answer_counts_as_lost(error: Exception) -> None:
    found = network_failure(error)
    assert isinstance(found, AnswerLost)
    assert "hush" not in str(found) and TOKEN not in str(found)


def test_causes_in_a_circle_are_looked_at_once() -> None:
    first, second = OSError("a"), OSError("b")
    first.__cause__, second.__context__ = second, first
    first.args = (first, second)
    assert isinstance(network_failure(first), AnswerLost)


# What the answers say


@pytest.mark.parametrize(
    "body", [b"", b"<html>Sign in</html>", b"{", b'{"request_id": "r', b"\xff\xfe", b"[" * 200_000, b"nul"]
)
def test_an_answer_that_is_no_json_is_no_acceptance(body: bytes) -> None:
    with Peer(answer(body)) as peer:
        caller = client(peer.origin)
        with pytest.raises(SubmissionUnknown):
            caller.submit("a/b", b"{}")
        for read in (caller.status, partial(caller.result, model_id="m"), caller.cancel):
            with pytest.raises(ProtocolError) as raised:
                read("r")
            assert raised.value.may_repeat
        caller.close()


def test_an_error_page_of_a_gateway_is_the_servers_fault() -> None:
    with Peer(answer(b"<html>502</html>", "502 Bad Gateway", Retry_After="3")) as peer:
        caller = client(peer.origin)
        with pytest.raises(ServerFault) as raised:
            caller.status("r")
        assert {name.lower(): value for name, value in raised.value.headers.items()}["retry-after"] == "3"
        with pytest.raises(SubmissionUnknown):
            caller.submit("a/b", b"{}")
        caller.close()


def test_an_api_that_echoes_the_token_does_not_make_it_known() -> None:
    body = f'{{"error_code": 422001, "message": "bad header Bearer {TOKEN}", "detail": ["{TOKEN}"]}}'.encode()
    with Peer(answer(body, "422 Unprocessable")) as peer:
        caller = client(peer.origin)
        with pytest.raises(Rejected) as raised:
            caller.submit("a/b", b"{}")
        caller.close()
    assert TOKEN not in str(raised.value)
    assert "bad header Bearer [token]" in str(raised.value)


@pytest.mark.parametrize("request_id", ["", "../models", "a/b", "a?b", "a" * 129])
def test_nothing_but_a_request_id_stands_in_an_address(request_id: str) -> None:
    with Peer(answer()) as peer:
        caller = client(peer.origin)
        for read in (caller.status, partial(caller.result, model_id="m"), caller.cancel):
            with pytest.raises(ProtocolError):
                read(request_id)
        caller.close()
    assert peer.requests == []


def test_addresses_are_built_from_the_request_id() -> None:
    with Peer(answer(b'{"status": "in_queue", "outcome": "cancelled"}')) as peer:
        caller = client(peer.origin)
        caller.status("r-1")
        caller.result("r-1", "m")
        caller.cancel("r-1")
        caller.entry("google/nano-banana/pro/edit")
        with pytest.raises(SubmissionUnknown):
            caller.submit("google/nano-banana/pro/edit", b"{}")
        caller.close()
    assert [head[""].removesuffix(" HTTP/1.1") for head in peer.heads] == [
        "GET /v1/requests/r-1/status",
        "GET /v1/requests/r-1/result?include_cost=true",
        "POST /v1/requests/r-1/cancel",
        "GET /v1/models/google/nano-banana/pro/edit",
        "POST /v1/models/google/nano-banana/pro/edit",
    ]


def test_a_file_is_not_fetched_through_a_redirect_to_elsewhere() -> None:
    with Peer(answer()) as other:
        for location in (
            f"{other.origin}/a.png",
            "https://[bad",
            "https://evil.example/a.png",
            "file:///etc/hostname",
        ):
            with Peer(answer(b"moved", "302 Found", Location=location)) as peer:
                downloader = Downloader(Trust((".runcomfy.net",), urls.origin(peer.origin)), USER_AGENT)
                with pytest.raises(UntrustedUrl):
                    Download(downloader, f"{peer.origin}/a.png").attempt()
                downloader.close()
            assert len(peer.requests) == 1
    assert other.requests == []


def test_these_tests_leave_the_environment_alone() -> None:
    assert not [name for name in os.environ if name.upper() in PROXIES]


# Files


@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"])
def test_a_web_page_is_not_taken_for_a_file_and_the_file_is_tried_again(kind: str) -> None:
    answers = iter(
        [answer(b"<p>Log in</p>", Content_Type=kind, Accept_Ranges="bytes", ETag='"1"'), answer(b"file")]
    )
    with Peer(lambda connection: connection.sendall(next(answers))) as peer:
        downloader = Downloader(Trust((), urls.origin(peer.origin)), USER_AGENT)
        download = Download(downloader, f"{peer.origin}/a.png")
        with pytest.raises(Undecodable) as raised:
            download.attempt()
        assert delay_after("GET", Operation.FILE, 0, raised.value, 0.0) is not None
        assert download.attempt() == b"file"
        downloader.close()
    assert "range" not in peer.heads[1]


@pytest.mark.parametrize("digits", [19, 5000])
def test_a_length_that_is_no_length_is_not_one(digits: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + b"9" * digits + b"\r\n\r\n{}"

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        hang_up(connection)

    with Peer(talk) as peer:
        try:
            assert call(peer.origin).body == b"{}"
        except AnswerLost:
            assert digits == 19, "http.client believes in nine million million million bytes"


def test_a_part_that_begins_at_no_place_is_not_the_rest() -> None:
    cut = answer(b"1234567890", Accept_Ranges="bytes", ETag='"1"').removesuffix(b"67890")
    parts = iter([cut, answer(b"67890", "206 Partial Content", Content_Range=f"bytes {'5' * 5000}-9/10")])

    def talk(connection: socket.socket) -> None:
        connection.sendall(next(parts))
        hang_up(connection)

    with Peer(talk) as peer:
        downloader = Downloader(Trust((), urls.origin(peer.origin)), USER_AGENT)
        download = Download(downloader, f"{peer.origin}/a.png")
        for _ in range(2):
            with pytest.raises(AnswerLost):
                download.attempt()
        downloader.close()
    assert [head.get("range") for head in peer.heads] == [None, "bytes=5-"]


@pytest.mark.parametrize(
    ("etag", "content_range"), [('"2"', "bytes 5-9/10"), ('"1"', "bytes 5-11/12"), ('"2"', "bytes 5-9/*")]
)
def test_a_part_of_another_file_at_the_same_address_is_not_the_rest(etag: str, content_range: str) -> None:
    cut = answer(b"1234567890", Accept_Ranges="bytes", ETag='"1"').removesuffix(b"67890")
    part = answer(b"fghij", "206 Partial Content", Content_Range=content_range, ETag=etag)
    answers = iter([cut, part, answer(b"abcdefghij", Accept_Ranges="bytes", ETag='"2"')])

    def talk(connection: socket.socket) -> None:
        connection.sendall(next(answers))
        hang_up(connection)

    with Peer(talk) as peer:
        downloader = Downloader(Trust((), urls.origin(peer.origin)), USER_AGENT)
        download = Download(downloader, f"{peer.origin}/a.png")
        for _ in range(2):
            with pytest.raises(AnswerLost):
                download.attempt()
        assert download.attempt() == b"abcdefghij"
        downloader.close()
    assert [head.get("range") for head in peer.heads] == [None, "bytes=5-", None]
