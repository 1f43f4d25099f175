"""A real ComfyUI for the tests: started in a folder of its own, driven over HTTP, heard over its websocket."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import requests

from emulator import Emulator

Graph = dict[str, dict[str, Any]]

ROOT = Path(__file__).resolve().parents[2]
PACKS = {"runcomfy-models": ROOT, "probe": Path(__file__).resolve().parent / "probe"}

START_SECONDS = 120.0
WAIT_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_PROGRESS_TEXT = 3

# ComfyUI ends with the process that started it, however that one ends: the pipe to it breaks.
_LEASH = """
import os, runpy, sys, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def installation() -> tuple[Path, str] | None:
    """Return the folder of ComfyUI and its Python, from COMFYUI_PATH and COMFYUI_PYTHON; None where unset."""
    folder = os.environ.get("COMFYUI_PATH")
    return (Path(folder), os.environ.get("COMFYUI_PYTHON") or sys.executable) if folder else None


class Refused(AssertionError):
    """ComfyUI did not take a prompt; ``answer`` is its answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(json.dumps(answer, indent=1))
        self.answer = answer


@dataclass(frozen=True)
class Event:
    """What ComfyUI sent to the page. A progress text has the kind ``progress_text``, a ``node`` and a ``text``."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a prompt ended: its entry in the history."""

    entry: dict[str, Any]

    @property
    def messages(self) -> dict[str, dict[str, Any]]:
        """The data of each message by its kind: execution_success, execution_error, execution_interrupted, ..."""
        return {kind: data for kind, data in self.entry["status"]["messages"]}

    @property
    def succeeded(self) -> bool:
        return "execution_success" in self.messages

    @property
    def interrupted(self) -> bool:
        return "execution_interrupted" in self.messages

    @property
    def error(self) -> str | None:
        """The text of the error that the page shows."""
        failure = self.messages.get("execution_error")
        return failure and failure["exception_message"].strip()

    def output(self, node: str, key: str) -> list[Any]:
        """What a node showed: ``images`` or ``text``."""
        return list(self.entry["outputs"].get(node, {}).get(key, []))


class Listener:
    """A page's ear: keeps every event in order. Its own thread has its own loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="comfyui-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._listening.wait(WAIT_SECONDS):
            raise AssertionError("ComfyUI's websocket does not open")

    def stop(self) -> None:
        if self._loop and self._task and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(WAIT_SECONDS)

    @property
    def events(self) -> list[Event]:
        with self._changed:
            return list(self._events)

    def wait(self, wanted: Callable[[Event], bool], since: int = 0) -> Event:
        """Wait for an event, beginning with number ``since``."""

        def found() -> Event | None:
            return next((event for event in self._events[since:] if wanted(event)), None)

        with self._changed:
            if not self._changed.wait_for(lambda: found() is not None, WAIT_SECONDS):
                raise AssertionError(f"no such event among {[event.kind for event in self._events[since:]]}")
            return found() or Event("", {})

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.create_task(self._listen())
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url, max_msg_size=0) as page:
            self._listening.set()
            async for message in page:
                if event := _event(message):
                    with self._changed:
                        self._events.append(event)
                        self._changed.notify_all()


class Comfy:
    """One ComfyUI with the pack, whose jobs go to ``api``. ``folder`` holds all its state; it may be started again.

    ``packs`` are custom nodes by the name of their folder; ``options`` are more of ComfyUI's command line.
    """

    def __init__(
        self, folder: Path, api: Emulator, packs: Mapping[str, Path] = PACKS, options: Sequence[str] = ()
    ) -> None:
        found = installation()
        if found is None:
            raise RuntimeError("COMFYUI_PATH is not set")
        self.source, self._python = found
        self.folder = folder
        self._more_options = tuple(options)
        self.environment = {"RUNCOMFY_MODEL_API_BASE": api.base_url, "RUNCOMFY_API_TOKEN": api.token}
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._client_id = uuid.uuid4().hex
        self.url = ""
        for name in ("custom_nodes", "input", "output", "user"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, source in packs.items():
            (folder / "custom_nodes" / name).symlink_to(source, target_is_directory=True)
        shutil.copy(self.source / "input" / "example.png", folder / "input")

    def __enter__(self) -> Comfy:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._session.close()

    def start(self) -> None:
        """Start, and wait until it answers and the listener hears it."""
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._python,
                    "-c",
                    _LEASH,
                    str(self.source / "main.py"),
                    *self._options(port),
                    *self._more_options,
                ],
                cwd=self.folder,
                env=self._environ(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
            self.listener = Listener(f"{self.url}/ws?clientId={self._client_id}")
            self.listener.start()
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is None:
            return
        if hasattr(os, "killpg") and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._process = None
        if hasattr(self, "listener"):
            self.listener.stop()

    @property
    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, **query: str) -> requests.Response:
        answer = self._session.get(f"{self.url}{path}", params=query, timeout=WAIT_SECONDS)
        answer.raise_for_status()
        return answer

    def post(self, path: str, body: object) -> requests.Response:
        return self._session.post(f"{self.url}{path}", json=body, timeout=WAIT_SECONDS)

    def object_info(self) -> dict[str, Any]:
        return self.get("/object_info").json()

    def submit(self, graph: Graph) -> str:
        """Queue a prompt and return its id. Raises: Refused."""
        body = {"prompt": graph, "client_id": self._client_id, "extra_data": {"extra_pnginfo": {"workflow": {}}}}
        answer = self.post("/prompt", body)
        if answer.status_code != 200 or answer.json()["node_errors"]:
            raise Refused(answer.json())
        return str(answer.json()["prompt_id"])

    def end_of(self, prompt_id: str) -> Outcome:
        """Wait until a prompt has ended in any way."""
        entry = self.until(lambda: self.get(f"/history/{prompt_id}").json().get(prompt_id), "the prompt ends")
        return Outcome(entry)

    def run(self, graph: Graph) -> Outcome:
        """Run a prompt to its end."""
        return self.end_of(self.submit(graph))

    def interrupt(self) -> None:
        """Press Stop."""
        self.post("/interrupt", {}).raise_for_status()

    def idle(self) -> bool:
        queue = self.get("/queue").json()
        return not queue["queue_running"] and not queue["queue_pending"]

    def files(self, outcome: Outcome, node: str) -> list[bytes]:
        """Fetch the images that a node saved or showed."""
        return [self.get("/view", **image).content for image in outcome.output(node, "images")]

    def texts(self, node: str, since: int = 0) -> list[str]:
        """The progress texts of a node, beginning with event number ``since``."""
        return [
            event.data["text"]
            for event in self.listener.events[since:]
            if event.kind == "progress_text" and event.data["node"] == node
        ]

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition and return its value."""
        ends = time.monotonic() + WAIT_SECONDS
        while not (value := condition()):
            if time.monotonic() > ends:
                raise AssertionError(f"{WAIT_SECONDS:.0f} s went by before {what}\n{self.log[-4000:]}")
            time.sleep(_LOOK_SECONDS)
        return value

    @property
    def _log_path(self) -> Path:
        return self.folder / "comfyui.log"

    def _options(self, port: int) -> list[str]:
        known = (self.source / "comfy" / "cli_args.py").read_text(encoding="utf-8")
        wanted: Sequence[Sequence[str]] = (
            ("--cpu",),
            ("--listen", "127.0.0.1"),
            ("--port", str(port)),
            ("--base-directory", str(self.folder)),
            ("--database-url", "sqlite:///:memory:"),
            ("--disable-api-nodes",),
            ("--disable-auto-launch",),
            ("--dont-print-server",),
        )
        return [word for option in wanted if f'"{option[0]}"' in known for word in option]

    def _environ(self) -> dict[str, str]:
        ours = re.compile(r"RUNCOMFY_|YOUR_API_TOKEN$|XDG_")
        inherited = {name: value for name, value in os.environ.items() if not ours.match(name)}
        fixed = {
            "HOME": str(self.folder),
            "NO_PROXY": "127.0.0.1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        return {**inherited, **fixed, **self.environment}

    def _wait_until_ready(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                self.get("/system_stats")
                return
            except requests.RequestException:
                time.sleep(_LOOK_SECONDS)
        raise AssertionError(f"ComfyUI does not start\n{self.log[-4000:]}")


def _event(message: aiohttp.WSMessage) -> Event | None:
    if message.type == aiohttp.WSMsgType.TEXT:
        content = json.loads(message.data)
        return Event(content["type"], content["data"])
    if message.type == aiohttp.WSMsgType.BINARY and struct.unpack(">I", message.data[:4]) == (_PROGRESS_TEXT,):
        (length,) = struct.unpack(">I", message.data[4:8])
        node, text = message.data[8 : 8 + length], message.data[8 + length :]
        return Event("progress_text", {"node": node.decode(), "text": text.decode()})
    return None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
