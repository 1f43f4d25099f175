"""Which addresses may be sent to the provider, and which may be fetched from here."""

from __future__ import annotations

import socket

import pytest
from properties import given, st

from nodes.core import urls
from nodes.core.urls import BadUrl, check_download, check_reference, is_loopback, origin, require_public_resolution

HOSTS = (".runcomfy.net", ".runcomfy.com", "files.example.com")
LOCAL = "http://127.0.0.1:8288"
ADDRESS = st.text(max_size=60) | st.tuples(
    st.sampled_from(["https://", "http://", "HTTPS:", "ftp://", ""]),
    st.text(alphabet="abz019.-_:@[]%/\\?#\u3002\uff11\u2100\u200b xX", max_size=30),
    st.sampled_from(["", "/a.png", ".runcomfy.net/a", ":443/", "@x.runcomfy.net"]),
).map("".join)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.COM", "https://example.com:443"),
        ("http://example.com/a?b#c", "http://example.com:80"),
        ("https://example.com:8443/v1", "https://example.com:8443"),
        ("https://example.com:/v1", "https://example.com:443"),
        ("http://[::1]:8288/v1", "http://[::1]:8288"),
        ("HTTPS://10.0.0.1/", "https://10.0.0.1:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port_written_out(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://:443",
        "https://user@example.com",
        "https://@example.com",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:-1",
        "https://[::1",
        "https://exa mple.com",
        "https://example.com\n",
        "\thttps://example.com",
        "https://example.com/\x7f",
        "https://example.com\\.evil.example",
        "https://example\u2100.com",
    ],
)
def test_what_is_no_address_has_no_origin(url: str) -> None:
    with pytest.raises(BadUrl):
        origin(url)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8288/v1", True),
        ("http://127.9.9.9", True),
        ("http://localhost", True),
        ("http://LOCALHOST:1", True),
        ("http://[::1]", True),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://0.0.0.0", False),
        ("http://127.1", False),
        ("http://192.168.0.1", False),
    ],
)
def test_loopback_is_this_machine_and_no_name_that_looks_like_it(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


@pytest.mark.parametrize(
    "url",
    [
        "https://playgrounds-storage-public.runcomfy.net/a%20b.png",
        "https://FILES.runcomfy.com/a",
        "https://a.b.c.runcomfy.net:443/a",
        "https://files.example.com/a",
    ],
)
def test_files_are_fetched_from_trusted_hosts(url: str) -> None:
    check_download(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.runcomfy.net/a",
        "https://files.runcomfy.net:8443/a",
        "https://runcomfy.net/a",
        "https://evilruncomfy.net/a",
        "https://runcomfy.net.evil.example/a",
        "https://evil.example/.runcomfy.net",
        "https://evil.example#.runcomfy.net",
        "https://evil.example?.runcomfy.net",
        "https://evil.example\\.runcomfy.net",
        "https://evil.example:443@files.runcomfy.net/a",
        "https://files.runcomfy.net@evil.example/a",
        "https://evil.example%2f.runcomfy.net/a",
        "https://files.runcomfy.net./a",
        "https://sub.files.example.com/a",
        "https://example.com/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "http://127.0.0.1:8288/a",
        "file:///etc/hostname",
        "data:image/png;base64,AAAA",
    ],
)
def test_files_are_fetched_from_nowhere_else(url: str) -> None:
    with pytest.raises(BadUrl):
        check_download(url, HOSTS)


def test_plain_http_is_fetched_only_beside_a_loopback_api() -> None:
    check_download(f"{LOCAL}/files/1.png", HOSTS, LOCAL)
    check_reference(f"{LOCAL}/files/1.png", LOCAL)
    for url in ("http://127.0.0.1:8289/a", "http://127.0.0.2:8288/a", "http://localhost:8288/a"):
        with pytest.raises(BadUrl):
            check_download(url, HOSTS, LOCAL)
    check_download("https://files.runcomfy.net/a", HOSTS, LOCAL)


@pytest.mark.parametrize("suffix", [".local", ".localhost", ".internal", ".lan", ".home", ".corp", ".intranet"])
def test_names_of_private_networks_are_no_public_hosts(suffix: str) -> None:
    for name in (f"a{suffix}", f"a.b{suffix}", f"a{suffix.upper()}"):
        with pytest.raises(BadUrl, match="public"):
            check_reference(f"https://{name}/a.png")


@given(ADDRESS)
def test_every_text_is_an_address_or_refused_without_being_quoted(text: str) -> None:
    for check in (origin, check_reference, lambda url: check_download(url, HOSTS), is_loopback):
        try:
            check(text)
        except BadUrl as error:
            assert len(str(error)) < 100
            assert len(text) < 6 or text not in str(error)


@given(ADDRESS)
def test_what_may_be_fetched_may_also_be_sent(text: str) -> None:
    try:
        check_download(text, HOSTS)
    except BadUrl:
        return
    check_reference(text)
    assert origin(text).removesuffix(":443").endswith(HOSTS)


def addresses(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert (host, port) == ("files.example.com", 443)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(urls.socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "198.18.0.7", "64:ff9b::5db8:d822"])
def test_a_name_that_leads_to_public_addresses_is_accepted(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    addresses(monkeypatch, "93.184.216.34", address)
    require_public_resolution("files.example.com")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_name_that_leads_home_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    addresses(monkeypatch, "93.184.216.34", address)
    with pytest.raises(BadUrl, match="not public"):
        require_public_resolution("files.example.com")


def test_a_name_that_cannot_be_resolved_is_a_network_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(urls.socket, "getaddrinfo", fail)
    with pytest.raises(OSError):
        require_public_resolution("files.example.com")
