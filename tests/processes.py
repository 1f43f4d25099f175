"""Real processes that run a node and can be killed: one warm process forks them, so that each starts at once.

Run as a script, it is that process: a JSON line on stdin starts a run, whose process id is the answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

# How long a lease that was lost counts, in seconds.
GRACE = "RUNCOMFY_TEST_GRACE"


class Nursery:
    """Starts runs in processes of their own."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, log: Path, pause_at: str = "", **values: object) -> RunContext:
        """Run the text-to-image node; ``pause_at`` is a stage (``downloading+`` once all files are there)."""
        environ = {name: os.environ[name] for name in os.environ if name == "HOME" or name.startswith("RUNCOMFY_")}
        order = {"environ": environ, "log": str(log), "pause_at": pause_at, "values": values}
        assert self._parent.stdin and self._parent.stdout
        self._parent.stdin.write(json.dumps(order) + "\n")
        self._parent.stdin.flush()
        return RunContext(int(self._parent.stdout.readline()), log)

    def close(self) -> None:
        with self._parent:
            assert self._parent.stdin
            self._parent.stdin.close()


class RunContext:
    """One run in its process."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log

    @property
    def lines(self) -> list[str]:
        """What it has told: its stages, then ``delivered HASH`` or ``failed RECEIPT``."""
        return [str(json.loads(line)) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def reached(self, stage: str) -> bool:
        return any(line.startswith(stage) for line in self.lines)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        os.kill(self.pid, signal.SIGKILL)
        while self.lives():
            time.sleep(0.005)

    def result(self) -> str:
        """Wait for its end and return its last line."""
        ends = time.monotonic() + 30
        while self.lives():
            assert time.monotonic() < ends, self.lines
            time.sleep(0.01)
        return self.lines[-1]

    def lives(self) -> bool:
        """Whether the process is still there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True


def digest(images: list[np.ndarray]) -> str:
    """Return a hash of uint8 ``[H,W,3]`` images."""
    return hashlib.sha256(b"".join(repr(image.shape).encode() + image.tobytes() for image in images)).hexdigest()


def _serve() -> None:
    from hurry import delivered
    from support import TEXT_TO_IMAGE, RecordingHost

    from nodes.app import run
    from nodes.comfyui.factory import node_class

    assert run
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid:
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        os.environ.update(order["environ"])
        _child(order, TEXT_TO_IMAGE, RecordingHost, node_class, delivered)


def _child(order, spec, host_class, node_class, delivered) -> None:  # type: ignore[no-untyped-def]
    import asyncio

    from support import run_node

    from nodes.core.store.engines import postgres_lease

    postgres_lease.GRACE_SECONDS = float(os.environ.get(GRACE, postgres_lease.GRACE_SECONDS))
    log = open(order["log"], "a")  # noqa: SIM115 (for the life of the process)

    def tell(text: str) -> None:
        log.write(json.dumps(text) + "\n")
        log.flush()

    class Host(host_class):  # type: ignore[misc]
        def report(self, progress) -> None:  # type: ignore[no-untyped-def]
            super().report(progress)
            whole = "+" if progress.total and progress.done == progress.total else ""
            tell(f"{progress.stage.value}{whole} {progress.text()}")
            if order["pause_at"] == progress.stage.value + whole:
                time.sleep(600)

    try:
        batches, _, _ = asyncio.run(run_node(node_class(spec, Host())(), **order["values"]))
        tell(f"delivered {digest(delivered(batches))}")
    except Exception as error:  # noqa: BLE001 (told to the test)
        tell(f"failed {type(error).__name__}: {error}")
    from nodes.app.service import close_services

    close_services()
    os._exit(0)


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
    _serve()
