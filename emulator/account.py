"""The account behind the API: what a test may set, and what it may look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .answers import Answers, Forms
from .calls import Call
from .catalog import DEFAULT_FOLDER, load_models
from .faults import Fault, FaultPlan
from .files import FileStore
from .jobs import Job, JobBook, Pace
from .validation import require_library

DEFAULT_TOKEN = "emulator-token"
OTHERS_PREFIX = "others-"
"""A request id that begins so belongs to somebody else."""


class Account:
    """Settings, jobs, calls and faults. Safe to use from any thread while the emulator runs.

    Times are in seconds. `queue_seconds` and `run_seconds` hold for jobs accepted later; each is a number or a
    function of the body. `models` is a folder of model files, or a catalogue's file. The balance is what it is set
    to: jobs do not draw it down.
    """

    def __init__(
        self,
        queue_seconds: Pace = 0.0,
        run_seconds: Pace = 0.0,
        answers: str | dict[str, Any] | Answers = "documented",
        validation: str = "strict",
        token: str | None = None,
        models: Path | None = None,
    ) -> None:
        if validation not in ("strict", "lenient"):
            raise ValueError(f"validation is {validation!r}; strict or lenient")
        if validation == "strict":
            require_library()
        self.queue_seconds = queue_seconds
        self.run_seconds = run_seconds
        self.validation = validation
        self.token = token or DEFAULT_TOKEN
        self.answers = answers
        self.models = load_models(models or DEFAULT_FOLDER)
        self.prices = {model.model_id: model.base_price for model in self.models.values()}
        self.balance_usd = 25.0
        self.ranges = True
        self.book = JobBook()
        self.faults = FaultPlan()
        self.files = FileStore(self.book)
        self._calls: list[Call] = []

    def offer(self, models: Path) -> None:
        """Offer more models: a folder or a file, as when it is made. A model that is there is offered as it is now.

        Raises: ValueError that says what is wrong with it; OSError.
        """
        more = load_models(models)
        self.models = {**self.models, **more}
        self.prices = {**{model.model_id: model.base_price for model in more.values()}, **self.prices}

    @property
    def answers(self) -> str | dict[str, Any] | Answers:
        """The form of the answers; may be changed at any time."""
        return self._answers

    @answers.setter
    def answers(self, answers: str | dict[str, Any] | Answers) -> None:
        self.forms = Forms(answers)
        self._answers = answers

    @property
    def jobs(self) -> list[Job]:
        """All accepted jobs, in order."""
        return self.book.all()

    @property
    def billed(self) -> list[Job]:
        """The jobs whose work is charged."""
        return [job for job in self.jobs if job.billed]

    @property
    def calls(self) -> list[Call]:
        """All HTTP requests received, in order."""
        return list(self._calls)

    def count(self, what: str) -> int:
        """How many requests of that kind were received."""
        return sum(call.what == what for call in self._calls)

    def record(self, call: Call) -> None:
        self._calls.append(call)

    def fault(self, fault: Fault | None = None, /, **fields: Any) -> Fault:
        """Add a fault, given as one or as the fields of one; return it."""
        fault = Fault(**fields) if fault is None else fault
        self.faults.add(fault)
        return fault

    def clear_faults(self) -> None:
        self.faults.clear()

    def finish(self, request_id: str) -> None:
        """End a job at once. Raises: KeyError for an unknown id."""
        self.book.finish(request_id)

    @property
    def hold(self) -> bool:
        """While true, no job leaves the queue."""
        return self.book.queue_gate.held

    @hold.setter
    def hold(self, held: bool) -> None:
        self.book.hold(self.book.queue_gate, held)

    @property
    def hold_running(self) -> bool:
        """While true, no job in progress ends by itself."""
        return self.book.run_gate.held

    @hold_running.setter
    def hold_running(self, held: bool) -> None:
        self.book.hold(self.book.run_gate, held)
