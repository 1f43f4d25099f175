"""The address of a PostgreSQL server. Its password is nowhere but in the connection."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from urllib.parse import quote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ...errors import ConfigError, step
from ...redact import text_without

CONNECT_SECONDS = 5
# What the address may say otherwise. A server that cannot be reached is noticed within half a minute.
_DEFAULTS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20000,
    "target_session_attrs": "read-write",
}
_HOSTS = re.compile(r"[A-Za-z0-9._:,/%-]*")
_PORTS = re.compile(r"[0-9,]*")


@dataclass(frozen=True)
class Address:
    """How a server is reached; ``place`` names it for people: host, port and database."""

    place: str
    conninfo: str = field(repr=False)
    password: str = field(repr=False)

    def redacted(self, text: str) -> str:
        """Return a text of the server's or the driver's, in one line and without the password."""
        line = " ".join(text.split())
        for secret in {self.password, quote(self.password, safe="")} - {""}:
            line = text_without(secret, line)
        return line


def parse_address(text: str, variable: str) -> Address:
    """Read ``postgresql://user:password@host:port/database?options``, with all that libpq knows.

    Raises:
        ConfigError: it cannot be an address; the message quotes nothing of it.
    """
    try:
        given = conninfo_to_dict(text)
    except (ProgrammingError, UnicodeError, ValueError):
        given = {}
    host, port = str(given.get("host") or ""), str(given.get("port") or "5432")
    # A password with an @ in clear reads as a part of the host.
    if not given or not _HOSTS.fullmatch(host) or not _PORTS.fullmatch(port):
        raise ConfigError("journal_address", variable=variable, next=(step("write_journal_address"),)) from None
    place = f"{host or 'localhost'}:{port}/{given.get('dbname') or given.get('user') or ''}"
    defaults: dict[str, str | int] = {**_DEFAULTS, "application_name": f"runcomfy-models on {socket.gethostname()}"}
    missing = {name: value for name, value in defaults.items() if name not in given}
    return Address(place, make_conninfo(text, **missing), str(given.get("password") or ""))
