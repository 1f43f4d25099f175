"""ComfyUI as the host of a run. The only importer of the host's modules, and only inside functions."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..core import threads
from ..core.config.settings import state_folder
from ..core.errors import InvalidInput, PackError
from ..core.jobs.progress import Progress, Stage
from ..core.jobs.waiting import RunHost
from ..core.media.host import MediaHost
from ..core.store.job import Author
from .authors import author_of
from .markup import without_markup
from .node_status import NodeLocation, NodeStatus, NodeStatusStore, UpdateMode
from .previews import Shown, media_shown_next, not_shown_next, shown
from .saving.files import SavePlace

log = logging.getLogger(__name__)

STATE_FOLDER = "runcomfy_models"
SHOWN_FOLDER = "runcomfy"
PROGRESS_EVENT = "runcomfy.progress"
_BAR_STEPS = 1000


class ComfyHost:
    """ComfyUI around the node that is being run. ``live`` keeps what the nodes told last."""

    def __init__(self) -> None:
        self.live = NodeStatusStore()

    def run_host(self) -> RunHost:
        """Return the observer of the current node: call it in the node's own context."""
        return ComfyRunHost(self.live, _current_place(), self.state_folder())

    def interrupt(self) -> BaseException:
        """Return the host's own interrupt: call it in the node's own context."""
        from comfy.model_management import InterruptProcessingException

        server = prompt_server()
        if stopped := self.live.stop(_current_place()):
            _send(self.live, server, stopped, getattr(server, "client_id", None))
        interrupt: BaseException = InterruptProcessingException()
        return interrupt

    def state_folder(self) -> Path | None:
        """Return a folder of the user directory that begins with ``__``: newer hosts never serve these."""
        import folder_paths

        return Path(folder_paths.get_user_directory()) / f"__{STATE_FOLDER}"

    def media_host(self) -> MediaHost:
        """Return who takes the files of results."""
        return ComfyMedia()

    def blocked(self, told: str) -> object:
        """Return the host's own sign for an output with nothing at it."""
        from comfy_execution.graph_utils import ExecutionBlocker

        return ExecutionBlocker(told)

    def author(self) -> Author:
        """Return who queued the current prompt: call it in the node's own context."""
        item = _current_item()
        return author_of(item[3]) if item else Author()

    def shown(self, files: Sequence[Path]) -> Shown:
        """Return what the current node shows of its files: those that the next node does not show."""
        try:
            return shown(not_shown_next(files, _current_place().shown_next), ComfyMedia().folder.parent)
        except Exception:
            # Another version of the host may have its folders elsewhere; that must not end a run that is paid for.
            log.warning("The files of a node cannot be shown on it", exc_info=True)
            return {}

    def show(self, files: Sequence[Path]) -> None:
        """Show files on the current node before it has ended, as the host itself does at the end."""
        place, server = _current_place(), prompt_server()
        if server is not None and (ui := self.shown(files)):
            told = {"node": place.node, "display_node": place.node, "output": ui, "prompt_id": place.prompt}
            server.send_sync("executed", told, getattr(server, "client_id", None))

    def save_place(self, prefix: str, width: int, height: int) -> SavePlace:
        """Return where files of a prefix are saved, by the host's own patterns.

        Raises:
            InvalidInput: outside of the host's output folder.
        """
        import folder_paths

        output = folder_paths.get_output_directory()
        try:
            folder, name, number, *_ = folder_paths.get_save_image_path(prefix, output, width, height)
        except Exception:  # noqa: BLE001 (the host raises no other kind for this)
            raise InvalidInput("filename_prefix", "outside_output") from None
        return SavePlace(Path(folder), name, number)

    def saved(self, files: Sequence[Path]) -> Shown:
        """Return what the page shows of files in the output folder."""
        import folder_paths

        return shown(files, Path(folder_paths.get_output_directory()), "output")

    def running_prompts(self) -> frozenset[str]:
        """Return the ids of the prompts that run now."""
        return frozenset(str(item[1]) for item in _running(prompt_server()))

    def connection(self, page: str | None) -> object:
        """Return the websocket of a page now, or None."""
        return _connection(prompt_server(), page)


class ComfyRunHost:
    """Shows progress on the node and moves its bar. ``report`` may be called from any thread.

    ``send_sync`` hands over to the server's loop. The bar is the exception: the host changes a plain dict for it,
    so only reports with a fraction move it, and these come from the prompt's own loop.
    """

    def __init__(self, live: NodeStatusStore, place: NodeLocation, state_folder: Path | None = None) -> None:
        self._live = live
        self._place = place
        self._state_folder = state_folder
        self._shown = 0.0
        self._noted: set[str] = set()
        # Of this prompt; a cancel may be confirmed when the server runs another page's prompt already.
        self._page = getattr(prompt_server(), "client_id", None)

    def stopped(self) -> bool:
        """Peek at the interrupt flag: consuming it would hide Stop from the siblings."""
        from comfy.model_management import processing_interrupted

        return bool(processing_interrupted())

    def report(self, progress: Progress) -> None:
        """Send the report, and move the bar where something is known; it never runs backwards."""
        try:
            self._show(progress)
        except Exception:
            # Another version of the host may take a report otherwise; that must not end a run that is paid for.
            log.warning("The progress of a node cannot be shown", exc_info=True)

    def _show(self, progress: Progress) -> None:
        server = prompt_server()
        if not self._place.node or server is None:
            return
        state = self._live.put(self._place, progress)
        for request_id in set(progress.jobs) - self._noted:
            self._noted.add(request_id)
            items = progress.items.total if progress.items else 1
            threads.start(_keep_place, self._state_folder, self._place, items, request_id)
        # A page with the pack's extension shows the report itself; another one gets the host's text.
        if _send(self._live, server, state, self._page) is UpdateMode.TEXT:
            server.send_progress_text(without_markup(progress.text()), self._place.node)
        fraction = 1.0 if progress.stage is Stage.DELIVERED else progress.fraction
        if fraction is not None and fraction > self._shown:
            self._shown = fraction
            self._move_bar(fraction)

    def _move_bar(self, fraction: float) -> None:
        # Not comfy.utils.ProgressBar: its hook consumes the interrupt flag, and siblings would miss Stop.
        from comfy_execution.progress import get_progress_state

        get_progress_state().update_progress(self._place.node, fraction * _BAR_STEPS, _BAR_STEPS, None)


class ComfyMedia:
    """Makes the host's own videos and sounds of files, which lie in its folder for passing ones.

    The host empties that folder when it starts and when it ends: a graph can read them as long as it knows them.
    """

    takes_all = False

    @property
    def folder(self) -> Path:
        """A folder that the host serves to its page."""
        import folder_paths

        return Path(folder_paths.get_temp_directory()) / SHOWN_FOLDER

    def video(self, path: Path) -> Any:
        """Return a VIDEO that reads the file when it is asked."""
        from comfy_api.input_impl import VideoFromFile

        return VideoFromFile(str(path))

    def audio(self, path: Path) -> Any:
        """Return an AUDIO: ``{"waveform": float32 [1,C,T], "sample_rate": Hz}``."""
        from ..core.media.sound import decode_sound

        return decode_sound(path)


def _keep_place(host_folder: Path | None, place: NodeLocation, items: int, request_id: str) -> None:
    """Note which node shows a job, for a server that starts after this one was killed. Blocking."""
    from ..app.service import open_record
    from ..core.store.history import Place

    try:
        folder = state_folder(os.environ, Path.home(), host_folder)
        shown_at = Place(place.workflow, place.node, place.node_type, place.prompt, items)
        open_record(folder).keep_place(shown_at, request_id)
    except PackError as error:
        log.info("Which node shows request %s is not recorded: %s", request_id, error.message)


def host_nodes() -> Any:
    """Return the module in which the host keeps all nodes, or None where there is none. Imports nothing.

    Both of its tables are read anew at each call of the page and for each prompt.
    """
    found = sys.modules.get("nodes")
    return found if hasattr(found, "NODE_CLASS_MAPPINGS") else None


def prompt_server() -> Any:
    """Return ComfyUI's server, or None where there is none. Imports nothing: it would be another ``server``."""
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def in_server_thread(change: Callable[[], None]) -> None:
    """Make a change in the thread of ComfyUI's server, which goes through its tables there, and wait for it.

    Where no server runs, it is made here. Blocking; not to be called in that thread.
    """
    loop = getattr(prompt_server(), "loop", None)
    if loop is None or not loop.is_running():
        change()
        return

    async def made() -> None:
        change()

    asyncio.run_coroutine_threadsafe(made(), loop).result()


def _connection(server: Any, page: str | None) -> object:
    return getattr(server, "sockets", {}).get(page)


def _send(live: NodeStatusStore, server: Any, state: NodeStatus, page: str | None) -> UpdateMode:
    """Send a state to a page that understands it; return what the page understands."""
    update_mode = live.update_mode(page, _connection(server, page))
    if update_mode is UpdateMode.STATES:
        server.send_sync(PROGRESS_EVENT, state.payload(), page)
    return update_mode


def _context() -> Any:
    """Return the host's context of the current node, or None."""
    from comfy_execution.utils import get_executing_context

    return get_executing_context()


def _current_item() -> tuple[Any, ...] | None:
    """Return what the host's queue holds of the current prompt: number, id, nodes, extra data ..."""
    context = _context()
    running = _running(prompt_server()) if context else []
    return next((item for item in running if item[1] == context.prompt_id), None)


def _current_place() -> NodeLocation:
    """Return where the current node runs, in the node's own context; what the host does not tell is ''."""
    context, item = _context(), _current_item()
    if context is None:
        return NodeLocation("")
    if item is None:
        return NodeLocation(context.node_id, prompt=context.prompt_id)
    _, prompt_id, prompt, extra_data, *_ = item
    workflow = (extra_data.get("extra_pnginfo") or {}).get("workflow")
    node = prompt.get(context.node_id, {})
    values = node.get("inputs", {})
    return NodeLocation(
        context.node_id,
        node_type=str(node.get("class_type", "")),
        prompt=prompt_id,
        workflow=str(workflow.get("id") or "") if isinstance(workflow, dict) else "",
        inputs={name: value for name, value in values.items() if isinstance(value, str | int | float | bool)},
        shown_next=media_shown_next(prompt, context.node_id),
    )


def _running(server: Any) -> list[tuple[Any, ...]]:
    queue = getattr(server, "prompt_queue", None)
    if queue is None:
        return []
    with queue.mutex:
        return list(queue.currently_running.values())
