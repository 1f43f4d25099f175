"""Fetches the files of a result: without credentials, from trusted hosts, up to a size; a broken one is resumed."""

from __future__ import annotations

import contextlib
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from .. import urls
from ..errors import (
    FETCH_AGAIN,
    FREE_DISK,
    AnswerLost,
    DownloadError,
    FileGone,
    ServerFault,
    Undecodable,
    UntrustedUrl,
)
from .deadline import deadline
from .transport import (
    CONNECT_TIMEOUT,
    NETWORK_ERRORS,
    NoCredentials,
    content_length,
    network_failure,
    new_session,
    read,
)

MAX_FILE_BYTES = 128 * 2**20
FILE_TIMEOUT = 120.0
READ_TIMEOUT = 30.0
MAX_REDIRECTS = 3
_PAGES = ("text/html", "application/xhtml+xml")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/([0-9]{1,18}|\*)")


@dataclass(frozen=True)
class Trust:
    """Which addresses may be fetched: https ones on ``hosts``, and any of ``local_origin`` if there is one."""

    hosts: tuple[str, ...]
    local_origin: str | None = None

    def check(self, url: str) -> None:
        """Refuse an address before anything is sent to it.

        Raises:
            UntrustedUrl: with the reason, and the host if its name is safe to show.
        """
        try:
            urls.check_download(url, self.hosts, self.local_origin)
        except urls.BadUrl as error:
            if host := _plain_host(url):
                raise UntrustedUrl("host_not_trusted", problem=error.note, host=host) from None
            raise UntrustedUrl("address_not_trusted", problem=error.note) from None


class Downloader:
    """One session for files. Blocking and safe to use from several threads."""

    def __init__(
        self, trust: Trust, user_agent: str, max_bytes: int = MAX_FILE_BYTES, timeout: float = FILE_TIMEOUT
    ) -> None:
        self.trust = trust
        self.max_bytes = max_bytes
        self.timeout = timeout
        self._session = new_session(user_agent)

    def open(self, url: str, offset: int, validator: str | None) -> requests.Response:
        """Open a file, following redirects only to trusted addresses. The caller closes the response.

        Raises:
            UntrustedUrl, or one of ``NETWORK_ERRORS``.
        """
        headers = {"Range": f"bytes={offset}-", "If-Range": validator} if offset and validator else {}
        for _ in range(MAX_REDIRECTS + 1):
            self.trust.check(url)
            self._require_public_address(url)
            response = self._session.get(
                url,
                headers=headers,
                auth=NoCredentials(),
                timeout=(CONNECT_TIMEOUT, min(READ_TIMEOUT, self.timeout)),
                allow_redirects=False,
                stream=True,
            )
            if not response.is_redirect:
                return response
            response.close()
            try:
                url = urljoin(url, response.headers["Location"])
            except ValueError:
                raise UntrustedUrl("redirect_unreadable") from None
        raise UntrustedUrl("too_many_redirects", limit=MAX_REDIRECTS)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def _require_public_address(self, url: str) -> None:
        # Behind a proxy, the proxy looks the name up; often this machine cannot.
        if urls.origin(url) == self.trust.local_origin or self._proxied(url):
            return
        try:
            urls.require_public_resolution(urlsplit(url).hostname or "")
        except urls.BadUrl as error:
            raise UntrustedUrl("address_not_trusted", problem=error.note) from None

    def _proxied(self, url: str) -> bool:
        proxies = self._session.merge_environment_settings(url, {}, None, None, None)["proxies"]
        return requests.utils.select_proxy(url, proxies) is not None


class _Transfer(ABC):
    """One file on its way. What an attempt has received is kept: the next one resumes there, if that is allowed."""

    def __init__(self, downloader: Downloader, url: str, max_bytes: int, seconds: float) -> None:
        self._downloader = downloader
        self._url = url
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._size = 0
        self._total: int | None = None
        self._validator: str | None = None

    @abstractmethod
    def _open(self, begin: bool) -> contextlib.AbstractContextManager[BinaryIO]:
        """Return where what comes next is written: behind what is there or, to ``begin``, in its place."""

    def _receive(self) -> None:
        """Fetch the file, or the rest of it.

        Raises:
            UntrustedUrl, TooLarge, FileGone: another try does not help.
            Undecodable: a web page came in its place, as from a proxy; it may, once or twice.
            AnswerLost, ConnectionFailed, ServerFault: it may.
        """
        try:
            with (
                deadline(self._seconds),
                self._downloader.open(self._url, self._size, self._validator) as response,
            ):
                self._prepare(response)
                with self._open(begin=not self._size) as file:
                    for piece in read(response, self._max_bytes - self._size):
                        self._write(file, piece)
        except NETWORK_ERRORS as error:
            raise network_failure(error) from None

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        file.write(piece)
        self._size += len(piece)

    def _prepare(self, response: requests.Response) -> None:
        """Decide from the answer's head whether it is the rest of the file or the whole of it."""
        if response.status_code == 206 and self._is_the_rest(response):
            return
        self._size = 0
        self._validator = None
        if response.status_code != 200:
            raise _refusal(response)
        if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() in _PAGES:
            raise Undecodable("file_is_a_page")
        self._total = content_length(response.headers)
        if response.headers.get("Accept-Ranges") == "bytes" and self._total:
            etag = response.headers.get("ETag", "")
            self._validator = None if etag.startswith("W/") else etag or response.headers.get("Last-Modified")

    def _is_the_rest(self, response: requests.Response) -> bool:
        """Whether a part follows on what is there: not every server heeds ``If-Range`` where a file has changed."""
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != self._size or match[2] not in ("*", str(self._total)):
            return False
        known = self._validator or ""
        return not known.startswith('"') or response.headers.get("ETag", known) == known


class Download(_Transfer):
    """One file that is fetched into memory."""

    def __init__(self, downloader: Downloader, url: str) -> None:
        super().__init__(downloader, url, downloader.max_bytes, downloader.timeout)
        self._received = io.BytesIO()

    def attempt(self) -> bytes:
        """Fetch the file, or the rest of it, within the downloader's ``timeout`` in seconds.

        Raises:
            As the network does: see ``_receive``.
        """
        self._receive()
        whole, self._received, self._size = self._received.getvalue(), io.BytesIO(), 0
        return whole

    def _open(self, begin: bool) -> contextlib.AbstractContextManager[BinaryIO]:
        if begin:
            self._received = io.BytesIO()
        return contextlib.nullcontext(self._received)


class StreamedDownload(_Transfer):
    """One file that is written to ``path`` as it arrives, and never held in memory.

    ``wanted`` is asked with each piece: a thread that nobody waits for any more does not go on for half an hour.
    """

    def __init__(
        self,
        downloader: Downloader,
        url: str,
        path: Path,
        max_bytes: int,
        seconds: float,
        wanted: Callable[[], bool],
    ) -> None:
        super().__init__(downloader, url, max_bytes, seconds)
        self._path = path
        self._wanted = wanted

    def attempt(self) -> Path:
        """Fetch the file, or the rest of it, and return where it lies.

        Raises:
            DownloadError: the disk does not take it. Besides that, as the network does: see ``_receive``.
        """
        self._receive()
        self._size = 0
        return self._path

    def _open(self, begin: bool) -> contextlib.AbstractContextManager[BinaryIO]:
        try:
            return self._path.open("wb" if begin else "ab")
        except OSError as error:
            raise unwritable(error) from None

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        if not self._wanted():
            raise DownloadError("file_cut")
        try:
            super()._write(file, piece)
            # Now, and not when it is closed: what the disk refuses is told as that.
            file.flush()
        except OSError as error:
            raise unwritable(error) from None


def unwritable(error: OSError) -> DownloadError:
    """Return the error of a file that the disk does not take."""
    return DownloadError(
        "file_unwritable", error=error.strerror or type(error).__name__, next=(FREE_DISK, FETCH_AGAIN)
    )


def _refusal(response: requests.Response) -> DownloadError | ServerFault | AnswerLost:
    status = response.status_code
    if status in (403, 404, 410):
        return FileGone("file_gone", status=status)
    if status in (206, 416):
        return AnswerLost("wrong_part")
    if status == 429 or status >= 500:
        return ServerFault("file_host_failed", status=status, headers=dict(response.headers))
    return DownloadError("file_refused", status=status)


def _plain_host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return host if re.fullmatch(r"[a-z0-9.-]{1,100}", host) else ""
