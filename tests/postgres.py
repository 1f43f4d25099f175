"""A real server of PostgreSQL in a folder of its own, for the tests; stopped and removed with them."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
PASSWORD = "pa55 word/recognizable@%"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "min_wal_size": "32MB",
    "max_wal_size": "64MB",
}


def programs() -> Path | None:
    """Return the folder of the server's programs; None where no server is installed."""
    if found := shutil.which("postgres"):
        return Path(found).parent
    return _INSTALLED[-1] if _INSTALLED else None


class Server:
    """A server that is made with the block and removed after it. It runs as another user where this one is root."""

    def __init__(self, parent: Path | None = None, **settings: str) -> None:
        self._programs = programs() or Path("no server is installed")
        self._parent = parent
        self._settings = {**SETTINGS, **settings}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.folder = Path(tempfile.mkdtemp(prefix="runcomfy-postgres-", dir=self._parent))
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        secret = self.folder / "password"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o644)
        options = ["-D", str(self.data), "-U", "tester", "--auth=scram-sha-256", f"--pwfile={secret}"]
        self._run("initdb", *options, "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8")
        lines = [f"{name} = '{value}'" for name, value in {**self._settings, "port": str(self.port)}.items()]
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        log = open(self.folder / "log", "ab")  # noqa: SIM115 (the server's from now on)
        with log:
            command = [*_ends_with_this_process(), str(self._programs / "postgres"), "-D", str(self.data)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **_user())
        ends = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it as an administrator in a hurry does: every connection ends."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Be stopped within the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def freeze(self, frozen: bool) -> None:
        """Let every process of it hang, or go on."""
        assert self._process is not None
        for process in [self._process.pid, *_children(self._process.pid)]:
            os.kill(process, signal.SIGSTOP if frozen else signal.SIGCONT)

    def address(self, database: str = "postgres", **options: str) -> str:
        """Return the address of a database, with the password."""
        from urllib.parse import quote, urlencode

        text = f"postgresql://tester:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"
        return f"{text}?{urlencode(options)}" if options else text

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"record_{secrets.token_hex(4)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.address(name)

    def sql(self, statement: str, address: str | None = None) -> list[tuple[Any, ...]]:
        """Look into a database as another program would."""
        return look(address or self.address(), statement)

    def terminate_all(self) -> int:
        """End every connection of the journals, as an administrator does; return how many there were."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'runcomfy%'"
        return len(self.sql(ended))

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.address(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *options: str) -> None:
        command: Sequence[str] = [str(self._programs / program), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **_user())
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)


def look(address: str, statement: str) -> list[tuple[Any, ...]]:
    """Execute a statement in a database; return what it finds."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as db:
        db.execute("SET search_path TO runcomfy_models, public")
        found = db.execute(statement.encode())
        return found.fetchall() if found.description else []


def _ends_with_this_process() -> list[str]:
    """Return what a command begins with that shall end with this process, also where that is killed."""
    return ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []


def _user() -> dict[str, Any]:
    """Return as whom the server runs: it refuses to be root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(number) for number in text.split()]
