"""From the result of a job to the end of its node: four images of 4096x4096."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from . import samples
from .measuring import in_a_process, in_turn
from .table import Row

IMAGES = 4
TARGET_WALL = 1.5
TARGET_MEMORY = 0.4


def rows(quick: bool) -> list[Row]:
    """Return the rows of time and of memory."""
    side, rounds = (1024, 3) if quick else (4096, 5)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(IMAGES):
            Path(folder, f"{index}.png").write_bytes(samples.png(side, index))
        with _served(folder) as origin:
            urls = [f"{origin}/{index}.png" for index in range(IMAGES)]
            policies = {
                name: partial(in_a_process, "decode_process", name, *urls)
                for name in ("ours", "unexpected", "floor", "common", "memory")
            }
            found = in_turn(policies, rounds)
    ours, floor, common = found["ours"], found["floor"], found["common"]
    what = f"decode: {IMAGES} PNG of {side}x{side}"
    ratio = ours["wall"] / floor["wall"]
    return [
        Row(
            f"{what}, wall",
            "real",
            "s",
            ours["wall"],
            floor["wall"],
            common["wall"],
            f"<= {TARGET_WALL} x floor",
            ratio <= TARGET_WALL,
            f"floor: fetch and Pillow load on two threads; processor time {ours['cpu']:.2f} s, floor "
            f"{floor['cpu']:.2f} s, common {common['cpu']:.2f} s",
        ),
        Row(
            f"{what}, of a size not expected",
            "real",
            "s",
            found["unexpected"]["wall"],
            floor["wall"],
            common["wall"],
            "",
            None,
            "no memory was got ready while the job ran; fresh memory for the result takes "
            f"{found['memory']['wall']:.2f} s",
        ),
        Row(
            f"{what}, memory",
            "real",
            "of the result",
            ours["memory"],
            None,
            common["memory"],
            f"<= {TARGET_MEMORY}",
            ours["memory"] <= TARGET_MEMORY,
            "peak above the result tensor, as a share of it",
        ),
    ]


@contextlib.contextmanager
def _served(folder: str) -> Iterator[str]:
    """Serve a folder on loopback from a process of its own; yield its origin."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"port (\d+)", server.stdout.readline())
            if found is None:
                raise RuntimeError("the file server did not start")
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            server.terminate()
