"""Which addresses may be sent to the provider, and which may be fetched from here. Pure, but for name lookup."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from urllib.parse import SplitResult, urlsplit

from .texts import Note, Param, note

MAX_LENGTH = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[^\s\x00-\x20\x7f\\<>\"^`{|}]+")
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)+")
_LOCAL_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".home", ".corp", ".intranet")

# VPNs and proxies that tunnel a whole machine answer every name with an address of this range (RFC 2544).
_TUNNELS = ipaddress.ip_network("198.18.0.0/15")

# Networks without IPv4 reach its addresses as the last four bytes of this range (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class BadUrl(ValueError):
    """An address is refused. ``note`` says why; no part of the address is in it."""

    def __init__(self, kind: str, **params: Param) -> None:
        super().__init__(kind)
        self.note: Note = note(f"address.{kind}", **params)

    def __str__(self) -> str:
        return str(self.note)


def origin(url: str) -> str:
    """Return ``scheme://host:port`` in lower case, the port always written out.

    Raises:
        BadUrl: no http(s) address, user information in it, or characters that no address holds.
    """
    parts = _split(url)
    return f"{parts.scheme}://{_host_text(parts)}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


def is_loopback(url: str) -> bool:
    """Whether the address is this machine: 127.0.0.0/8, ::1 or ``localhost``."""
    host = _split(url).hostname or ""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def check_reference(url: str, local_origin: str | None = None) -> None:
    """Accept an address that the provider's servers can fetch: public https, no login in it.

    ``local_origin`` is the API's own origin where the API itself is on loopback (the emulator).

    Raises:
        BadUrl: with the reason.
    """
    parts = _split(url)
    if local_origin is not None and origin(url) == local_origin:
        return
    if parts.scheme != "https":
        raise BadUrl("not_https")
    _require_public_host(parts.hostname or "")


def check_download(url: str, hosts: tuple[str, ...], local_origin: str | None = None) -> None:
    """Accept https on a trusted host and the default port, or the loopback API's own origin.

    ``hosts`` are names (``files.example.com``) or suffixes with a leading dot (``.example.com``).

    Raises:
        BadUrl: with the reason.
    """
    parts = _split(url)
    if local_origin is not None and origin(url) == local_origin:
        return
    host = parts.hostname or ""
    if parts.scheme != "https":
        raise BadUrl("not_https")
    if parts.port not in (None, 443):
        raise BadUrl("other_port")
    _require_public_host(host)
    if not any(host == name or (name.startswith(".") and host.endswith(name)) for name in hosts):
        raise BadUrl("untrusted_host")


def require_public_resolution(host: str) -> None:
    """Resolve ``host`` and refuse it where any of its addresses is not a public one.

    Raises:
        BadUrl: an address is private, loopback, link-local or reserved.
        OSError: the name cannot be resolved.
    """
    for *_, found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM):
        address = ipaddress.ip_address(str(found[0]).partition("%")[0])
        if not _is_public(address):
            raise BadUrl("leads_inside")


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.sixtofour
        if inner is not None:
            return _is_public(inner)
    return address in _TUNNELS or (address.is_global and not address.is_multicast)


def _split(url: str) -> SplitResult:
    if len(url) > MAX_LENGTH:
        raise BadUrl("too_long", limit=MAX_LENGTH)
    if not _PRINTABLE.fullmatch(url):
        raise BadUrl("odd_character")
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise BadUrl("malformed") from error
    if parts.scheme not in _DEFAULT_PORTS or not has_host:
        raise BadUrl("not_https")
    if "@" in parts.netloc:
        raise BadUrl("has_login")
    return parts


def _host_text(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _require_public_host(host: str) -> None:
    # As a resolver reads them: full-width digits are digits, and 127.1, 0x7f000001 and 2130706433 are addresses.
    host = unicodedata.normalize("NFKC", host)
    if _address(host) is not None or re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rsplit(".", 1)[-1]):
        raise BadUrl("ip_address")
    if not _HOST_NAME.fullmatch(host) or host.endswith(_LOCAL_SUFFIXES):
        raise BadUrl("not_public")
