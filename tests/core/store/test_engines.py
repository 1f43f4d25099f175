"""Where the record lies: folders that SQLite cannot share, addresses, and the statements of both engines."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import ROOT

from nodes.core.errors import ConfigError, JournalError
from nodes.core.store.engines import VARIABLE, network_folder, open_engine, postgres_schema, sqlite_schema
from nodes.core.store.engines.address import parse_address
from nodes.core.store.engines.network_folder import network_system
from nodes.core.store.engines.postgres_sql import storable, translated
from nodes.core.store.journal import Journal

PASSWORD = "pa55-recognizable"


def test_the_same_version_on_both_engines() -> None:
    assert len(sqlite_schema.MIGRATIONS) == postgres_schema.VERSION


@pytest.mark.parametrize(
    ("mounts", "system"),
    [
        ("/dev/sda1 / ext4 rw 0 0", None),
        ("/dev/sda1 / ext4 rw 0 0\nnas:/x {here} nfs4 rw 0 0", "nfs4"),
        ("/dev/sda1 / ext4 rw 0 0\n//nas/x {parent} cifs rw 0 0", "cifs"),
        ("/dev/sda1 / ext4 rw 0 0\nx@nas: {here} fuse.sshfs rw 0 0", "sshfs"),
        ("nas:/x {here} nfs rw 0 0\ntmpfs {here} tmpfs rw 0 0", None),
        ("nas:/x {here}-other nfs rw 0 0\n/dev/sda1 / ext4 rw 0 0", None),
        ("nas:/x {spaced} nfs rw 0 0", None),
    ],
)
def test_a_network_file_system_is_recognised(tmp_path: Path, mounts: str, system: str | None) -> None:
    listed = tmp_path / "mounts"
    places = {"here": tmp_path, "parent": tmp_path.parent, "spaced": f"{tmp_path}/a\\040b"}
    listed.write_text(mounts.format(**places) + "\n")
    assert network_system(tmp_path / "state", listed) == system


def test_a_mount_whose_name_has_spaces_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(f"nas:/x {tmp_path}/a\\040b nfs rw 0 0\n")
    assert network_system(tmp_path / "a b" / "state", tmp_path / "mounts") == "nfs"


def test_where_nothing_tells_of_mounts_none_is_taken_for_a_network(tmp_path: Path) -> None:
    assert network_system(tmp_path, tmp_path / "nowhere") is None
    (tmp_path / "mounts").write_text("")
    assert network_system(tmp_path, tmp_path / "mounts") is None


@pytest.mark.parametrize(("drive", "is_remote"), [(3, False), (4, True)])
def test_a_network_drive_of_windows_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drive: int, is_remote: bool
) -> None:
    asked: list[str] = []

    def drive_type(anchor: str) -> int:
        asked.append(anchor)
        return drive

    windows = SimpleNamespace(kernel32=SimpleNamespace(GetDriveTypeW=drive_type))
    monkeypatch.setattr(ctypes, "windll", windows, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert network_system(tmp_path / "state") == (tmp_path.anchor if is_remote else None)
    assert asked == [tmp_path.anchor]


def test_a_record_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_folder, "network_system", lambda _folder: "nfs4")
    with pytest.raises(
        JournalError, match=r"(?s)nfs4.*Charged: no.*RUNCOMFY_STATE_DIR.*RUNCOMFY_JOURNAL"
    ) as raised:
        Journal(tmp_path / "state")
    assert str(tmp_path / "state") in str(raised.value)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "text",
    [
        "mysql://user@host/db",
        "sqlite",
        f"postgresql://user:{PASSWORD}@x@host/db",
        f"postgresql://user:{PASSWORD}/x@host/db",
        f"postgresql://user:{PASSWORD}#x@host:port/db",
        f"postgresql://user:{PASSWORD}@host/db?nonsense={PASSWORD}",
        f"postgresql://user:{PASSWORD}%zz@host/db",
        f"postgresql://{PASSWORD}@[::1/db",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=VARIABLE) as raised:
        open_engine(tmp_path, text)
    assert PASSWORD not in str(raised.value) and PASSWORD not in repr(raised.value)
    assert raised.value.__cause__ is None and PASSWORD not in repr(raised.value.__context__ or "")


def test_the_password_is_in_no_name_and_no_message() -> None:
    address = parse_address(f"postgresql://u:{PASSWORD}%2F%40@db.studio:5433/jobs?sslmode=verify-full", VARIABLE)
    assert address.place == "db.studio:5433/jobs"
    assert PASSWORD not in repr(address) and PASSWORD not in str(address)
    told = address.redacted(f"FATAL: {PASSWORD}/@ or\n{PASSWORD}%2F%40 or {PASSWORD}%2f@")
    assert PASSWORD not in told and "\n" not in told and told.startswith("FATAL: ")
    assert "sslmode=verify-full" in address.conninfo


def test_the_address_may_say_otherwise() -> None:
    conninfo = parse_address("postgresql://h/db?connect_timeout=2&application_name=x", VARIABLE).conninfo
    assert "connect_timeout=2" in conninfo and "application_name=x" in conninfo
    assert "target_session_attrs=read-write" in conninfo


def test_without_the_driver_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodes.core.store.engines.postgres", None)
    with pytest.raises(ConfigError, match=r"(?s)psycopg is not installed.*pip install \"psycopg\[binary\]\""):
        open_engine(tmp_path, "postgresql://h/db")


def test_a_record_in_the_state_folder_imports_nothing_of_a_server(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nodes.core.store.journal import Journal\n"
        "Journal(Path(sys.argv[1])).close()\n"
        "print([name for name in sys.modules if 'psycopg' in name or 'postgres' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, text=True, capture_output=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("statement", "meant"),
    [
        ("SELECT * FROM jobs WHERE id = ?", "SELECT * FROM jobs WHERE id = %s"),
        ("WHERE count IS :count AND a = :a_1", "WHERE count IS NOT DISTINCT FROM %(count)s AND a = %(a_1)s"),
        ("WHERE count IS ? AND note IS NOT NULL", "WHERE count IS NOT DISTINCT FROM %s AND note IS NOT NULL"),
        ("SELECT x::bigint WHERE a LIKE 'b%'", "SELECT x::bigint WHERE a LIKE 'b%%'"),
    ],
)
def test_what_a_server_writes_otherwise(statement: str, meant: str) -> None:
    assert translated(statement) == meant


def test_what_a_server_cannot_store_is_replaced() -> None:
    assert storable("a\0b\ud800c") == "a\ufffdb?c"
    assert storable(None) is None and storable(7) == 7
