"""Whether a folder lies on another computer: SQLite's write-ahead log needs memory that all its users share."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ...errors import JournalError, step

# As Linux calls them (https://docs.kernel.org/filesystems/); what FUSE mounts is called ``fuse.<name>``.
_REMOTE = "nfs nfs4 cifs smb3 smbfs ncpfs afs ceph glusterfs lustre beegfs gpfs davfs"
_REMOTE_BY_FUSE = "sshfs rclone s3fs gcsfuse goofys juicefs davfs2 curlftpfs"
NETWORK_SYSTEMS = frozenset(f"{_REMOTE} {_REMOTE_BY_FUSE}".split())
_MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")
_DRIVE_REMOTE = 4


def refuse_network_folder(folder: Path) -> None:
    """Check that a folder lies on this computer, where that can be told.

    Raises:
        JournalError: it does not; what to do instead.
    """
    if system := network_system(folder):
        raise JournalError(
            "network_folder",
            folder=str(folder),
            system=system,
            next=(step("use_local_folder"), step("use_postgres")),
        )


def network_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return what a network file system is called that a folder lies on; None where none is recognised."""
    if sys.platform == "win32":
        return _network_drive(folder)
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    path = os.path.realpath(folder)
    # Of several mounts in one place the last is seen.
    found = [(len(place), number, system) for number, (place, system) in enumerate(map(_mount, lines))
             if os.path.commonpath([place, path]) == place]  # fmt: skip
    system = max(found)[2].removeprefix("fuse.") if found else ""
    return system if system in NETWORK_SYSTEMS else None


def _mount(line: str) -> tuple[str, str]:
    """Return where a file system is mounted, and its name. Spaces are written in octal numbers."""
    _, place, system, *_ = line.split(" ")
    return _OCTAL.sub(lambda code: chr(int(code[1], 8)), place), system


def _network_drive(folder: Path) -> str | None:
    import ctypes

    anchor = folder.absolute().anchor
    windows = getattr(ctypes, "windll").kernel32  # noqa: B009 (only Windows has it)
    return anchor if anchor.startswith("\\\\") or windows.GetDriveTypeW(anchor) == _DRIVE_REMOTE else None
