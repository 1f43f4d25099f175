"""ComfyUI as the host of a run. The only importer of the host's modules, and only inside functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.progress import Progress, Stage
from ..core.waiting import Observer

STATE_FOLDER = "runcomfy_models"
_BAR_STEPS = 1000


class ComfyHost:
    """ComfyUI around the node that is being run."""

    def observer(self) -> Observer:
        """Return the observer of the current node: call it in the node's own context."""
        from comfy_execution.utils import get_executing_context

        context = get_executing_context()
        return ComfyObserver(context.node_id if context else None)

    def interrupt(self) -> BaseException:
        """Return the host's own interrupt."""
        from comfy.model_management import InterruptProcessingException

        interrupt: BaseException = InterruptProcessingException()
        return interrupt

    def state_folder(self) -> Path | None:
        """Return a folder of the user directory that begins with ``__``: newer hosts never serve these."""
        import folder_paths

        return Path(folder_paths.get_user_directory()) / f"__{STATE_FOLDER}"


class ComfyObserver:
    """Shows progress as the node's text and bar."""

    def __init__(self, node_id: str | None) -> None:
        self._node_id = node_id
        self._shown = 0.0

    def stopped(self) -> bool:
        """Peek at the interrupt flag: consuming it would hide Stop from the siblings."""
        from comfy.model_management import processing_interrupted

        return bool(processing_interrupted())

    def report(self, progress: Progress) -> None:
        """Send the text, and move the bar where something is known; it never runs backwards."""
        if self._node_id is None:
            return
        from server import PromptServer

        server: Any = PromptServer.instance
        server.send_progress_text(progress.text(), self._node_id)
        fraction = 1.0 if progress.stage is Stage.DELIVERED else progress.fraction
        if fraction is not None and fraction > self._shown:
            self._shown = fraction
            self._move_bar(fraction)

    def _move_bar(self, fraction: float) -> None:
        # Not comfy.utils.ProgressBar: its hook consumes the interrupt flag, and siblings would miss Stop.
        from comfy_execution.progress import get_progress_state

        get_progress_state().update_progress(self._node_id, fraction * _BAR_STEPS, _BAR_STEPS, None)
