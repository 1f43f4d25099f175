"""What several hosts share, the record and a folder of kept files; and how their jobs are told apart."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

_KEPT = "kept"


def journal_address(environ: Mapping[str, str]) -> str:
    """Return the address of the record on a server; '' for the file in the state folder. It may hold a password."""
    return environ.get("RUNCOMFY_JOURNAL", "").strip()


def kept_folder(environ: Mapping[str, str], state_folder: Path) -> Path:
    """Return the folder of the kept files: ``RUNCOMFY_KEEP_DIR``, which hosts may share, or one of this host."""
    chosen = environ.get("RUNCOMFY_KEEP_DIR", "").strip()
    return Path(os.path.expanduser(chosen)).absolute() if chosen else state_folder / _KEPT


def host_name(environ: Mapping[str, str]) -> str:
    """Return what this host is called beside its jobs: ``RUNCOMFY_HOST_NAME``, or the computer's name."""
    return environ.get("RUNCOMFY_HOST_NAME", "").strip() or socket.gethostname()


def project(environ: Mapping[str, str]) -> str:
    """Return what this host's jobs are for, where their workflows do not say: ``RUNCOMFY_PROJECT``."""
    return environ.get("RUNCOMFY_PROJECT", "").strip()
