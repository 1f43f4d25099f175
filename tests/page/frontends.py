"""The real page: the wheel that ComfyUI installs, of fixed versions, kept in a cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

YEAR_AGO = "1.27.10"
NEWEST = "1.58.1"
PACKAGE = "comfyui-frontend-package"
STATIC = "comfyui_frontend_package/static"


def cache_folder() -> Path:
    """Where the pages are kept: ``RUNCOMFY_TEST_CACHE``, else beneath the temporary folder."""
    return Path(os.environ.get("RUNCOMFY_TEST_CACHE") or Path(tempfile.gettempdir()) / "runcomfy-models-tests")


def frontend(version: str) -> Path:
    """Return the folder of the static files of a version; it is fetched once.

    Raises:
        RuntimeError: it cannot be fetched.
    """
    folder = cache_folder() / f"frontend-{version}"
    if not (folder / STATIC / "index.html").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        done = subprocess.run([*command, f"{PACKAGE}=={version}"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{PACKAGE} {version} cannot be fetched: {done.stderr.strip()[-300:]}")
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if not name.endswith(".map")])
        wheel.unlink()
    return folder / STATIC
