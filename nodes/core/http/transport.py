"""The network, in one place: blocking HTTP over ``requests``. Every answer has a deadline and a size limit."""

from __future__ import annotations

import http.client
import io
import json
import re
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3

from .. import urls
from ..errors import AnswerLost, ConnectionFailed, PackError, ProtocolError, TooLarge, step
from .deadline import Adapter, deadline

NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
CONNECT_TIMEOUT = 10.0
_CHUNK = 256 * 1024
_GZIP_OR_ZLIB = 32
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the body as JSON.

        Raises:
            ProtocolError: it is not JSON, for instance an HTML page of a proxy.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise ProtocolError("answer_not_json") from None


class _Session(requests.Session):
    """A session that never sees a redirect: ``requests`` reads its whole body, even without following it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""


class _Body(io.BytesIO):
    """A body that notes when sending it begins: until then, the server cannot have accepted anything."""

    taken = False

    def read(self, size: int | None = -1) -> bytes:
        """Read, and note that sending has begun."""
        self.taken = True
        return super().read(size)


def new_session(user_agent: str) -> requests.Session:
    """Return a session that stores no cookies, asks for uncompressed answers and follows no redirect.

    Proxies are those of the environment, except for addresses of this machine, which a proxy cannot reach.
    """
    session = _Session()
    session.proxies = {f"{scheme}://{host}": "" for scheme in ("http", "https") for host in _LOOPBACK}
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity"})
    adapter = Adapter(pool_maxsize=32)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Bearer(requests.auth.AuthBase):
    """Sends the token. It is an auth object because a ``.netrc`` file of the user replaces a plain header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class NoCredentials(requests.auth.AuthBase):
    """Sends no credentials, not even those in a ``.netrc`` file."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Transport:
    """Calls of the API. The token goes to ``origins`` and nowhere else; redirects are not followed."""

    def __init__(self, token: str, origins: frozenset[str], user_agent: str) -> None:
        self._auth = _Bearer(token)
        self._origins = origins
        self._user_agent = user_agent
        self._session = new_session(user_agent)

    def call(
        self, method: str, url: str, *, body: bytes | None = None, timeout: float = 30.0, max_bytes: int = 2**20
    ) -> Answer:
        """Make one call and read its whole answer, whatever its status, within ``timeout`` seconds.

        Raises:
            ConnectionFailed: no connection was made; nothing was sent.
            AnswerLost: sent, and no whole answer came back in time.
            TooLarge: the answer has more than ``max_bytes``.
        """
        if urls.origin(url) not in self._origins:
            raise ConnectionFailed("not_the_api", may_repeat=False)
        session = self._session if body is None else self._session_of_its_own()
        data = None if body is None else _Body(body)
        try:
            with (
                deadline(timeout),
                session.request(
                    method,
                    url,
                    data=data,
                    headers={"Content-Type": "application/json"} if body is not None else None,
                    auth=self._auth,
                    timeout=(min(CONNECT_TIMEOUT, timeout), timeout),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                received = b"".join(read(response, max_bytes))
                return Answer(response.status_code, response.headers, plain(received, response.headers, max_bytes))
        except NETWORK_ERRORS as error:
            failure = network_failure(error)
            if isinstance(failure, AnswerLost) and data is not None and not data.taken:
                failure = ConnectionFailed("not_connected", error=type(error).__name__)
            raise failure from None
        finally:
            if session is not self._session:
                session.close()

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def _session_of_its_own(self) -> requests.Session:
        # A job is posted on a new connection. An idle one may have died unnoticed, and nobody could tell afterwards
        # whether the job was accepted. Not every server closes a connection when it is asked to, so the session is
        # not used again either.
        session = new_session(self._user_agent)
        session.headers["Connection"] = "close"
        return session


def read(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """Yield a body as it arrives.

    Raises:
        AnswerLost: fewer bytes came than were announced.
        TooLarge: more than ``max_bytes`` were announced or sent.
    """
    announced = content_length(response.headers)
    if announced is not None and announced > max_bytes:
        raise TooLarge("answer_announced_too_large", announced_bytes=announced, limit_bytes=max_bytes)
    # read1 returns what has arrived. read would wait for a whole piece, so that a body sent
    # byte by byte could hold the thread far beyond any timeout. urllib3 1.26 has it one level down.
    raw: Any = response.raw
    read1 = getattr(raw, "read1", None) or raw._fp.read1
    size = 0
    while piece := read1(_CHUNK):
        size += len(piece)
        if size > max_bytes:
            raise TooLarge("answer_too_large", limit_bytes=max_bytes)
        yield piece
    if announced is not None and size != announced:
        raise AnswerLost("answer_cut", received=size, announced=announced)
    # urllib3 1.26 does not see that its answer was read to the end, and would close the connection.
    raw.release_conn()


def plain(body: bytes, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """Return a body uncompressed: some proxies compress it although that was not asked for.

    Raises:
        AnswerLost: it is damaged. TooLarge: it has more than ``max_bytes``.
    """
    if headers.get("Content-Encoding", "").strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    decoder = zlib.decompressobj(zlib.MAX_WBITS | _GZIP_OR_ZLIB)
    try:
        text = decoder.decompress(body, max_bytes)
    except zlib.error:
        raise AnswerLost("compressed_damaged") from None
    if decoder.unconsumed_tail:
        raise TooLarge("answer_too_large", limit_bytes=max_bytes)
    if not decoder.eof:
        raise AnswerLost("compressed_cut")
    return text


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the announced length in bytes, or None where there is no readable one."""
    text = headers.get("Content-Length", "")
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


def network_failure(error: Exception) -> PackError:
    """Tell whether a failed call can have reached the server.

    Returns ``ConnectionFailed`` only where the chain of causes holds proof that no connection was made; TLS and
    proxy refusals among them are named as such and are not worth repeating. Everything else is ``AnswerLost``.
    No text of the error is used: it can hold an address with a login of the proxy.
    """
    causes = list(_causes(error))
    for cause_type, marker, made in _OBSTACLES:
        if any(isinstance(cause, cause_type) and marker in str(cause) for cause in causes):
            return made()
    unconnected = urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    if any(isinstance(cause, unconnected) for cause in causes):
        via_proxy = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
        return ConnectionFailed("proxy_unreachable") if via_proxy else ConnectionFailed("server_unreachable")
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return AnswerLost("answer_late")
    return AnswerLost("connection_broke", error=type(error).__name__)


# What proves that nothing was sent, and that another try cannot help: the type of a cause, a part of its text where
# the type alone says too little, and the failure.
_OBSTACLES: tuple[tuple[type[BaseException], str, Callable[[], ConnectionFailed]], ...] = (
    (
        ssl.SSLCertVerificationError,
        "",
        partial(ConnectionFailed, "certificate_untrusted", may_repeat=False, next=(step("set_ca_bundle"),)),
    ),
    (
        OSError,
        "Tunnel connection failed",
        partial(ConnectionFailed, "proxy_refused", may_repeat=False, next=(step("check_proxy"),)),
    ),
    (
        OSError,
        "TLS CA certificate bundle",
        partial(ConnectionFailed, "ca_bundle_missing", may_repeat=False, next=(step("correct_ca_bundle"),)),
    ),
    (
        requests.exceptions.InvalidSchema,
        "",
        partial(ConnectionFailed, "proxy_unsupported", may_repeat=False, next=(step("install_pysocks"),)),
    ),
    (requests.exceptions.InvalidURL, "", partial(ConnectionFailed, "address_invalid", may_repeat=False)),
)


def _causes(error: object, seen: frozenset[int] = frozenset()) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps: ``requests`` and ``urllib3`` wrap in arguments and attributes."""
    if not isinstance(error, BaseException) or id(error) in seen:
        return
    yield error
    inside = (*error.args, getattr(error, "reason", None), getattr(error, "original_error", None))
    for cause in (*inside, error.__cause__, error.__context__):
        yield from _causes(cause, seen | {id(error)})
