"""The world of one history: what it is made of, its clock, its processes, and the record that it is judged by."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from nodes.core.store.engines.postgres_sql import Row

from ..plan import Fault, Plan
from .disk import JOURNAL, Condition, Connection, Disk
from .edges import Edges
from .forms import Form, draw_form
from .network import Network, Trouble
from .process import RUN, STATE_DIR, TOKEN, Environ, Process, Run
from .provider import Fate, Provider
from .scheduler import Owner, Scheduler

MOST_STEPS = 1_500_000
# A Tuesday, at midnight in UTC.
_DAY = 1_773_100_800.0
_GIBIBYTE_IN_MB = "1024"


@dataclass(frozen=True)
class Event:
    """One line of a story."""

    at: float
    text: str


class World:
    """Everything around the pack in one history."""

    def __init__(self, plan: Plan, edges: Edges, folder: Path) -> None:
        self.plan = plan
        self.edges = edges
        self.random = Random(f"world {plan.seed}")
        self.scheduler = Scheduler(Random(f"order {plan.seed}"), self._enter, MOST_STEPS)
        self.provider = Provider(
            Random(f"provider {plan.seed}"), lambda: self.scheduler.now, plan.accounts, self._form, self._fate
        )
        self.network = Network(self, self.provider, Random(f"network {plan.seed}"))
        self.disk = Disk(self, folder)
        if edges.database is not None:
            edges.database.empty()
        self.clock_offset = 0.0
        self.events: list[Event] = []
        self.logged: list[tuple[float, logging.LogRecord]] = []
        self.runs: list[Run] = []
        self.deaths = 0
        self.settled_at: float | None = None
        self.settled_from: int | None = None
        self.spent_today: tuple[float, float] | None = None
        self.permissions: list[tuple[str, float]] = []
        self.faults: list[Fault] = [fault for fault in plan.faults if fault.at != "disk"]
        self.disk.conditions = [
            Condition(fault.kind, fault.begins, fault.begins + fault.value)
            for fault in plan.faults
            if fault.at == "disk"
        ]
        self._forms = Random(f"forms {plan.seed}")
        self._counts: Counter[str] = Counter()
        edges.look_for_stop(is_due=any(action.do == "stop" for action in plan.actions))
        self.processes = [self.boot(number, self.environ(account)) for number, account in enumerate(plan.processes)]

    def boot(self, number: int, environ: Environ) -> Process:
        """Return a new process."""
        return Process(self, self.edges, number, environ)

    def environ(self, account: int, budget: float | None = None) -> Environ:
        """Return the environment of a process that works for an account."""
        budget = self.plan.budget if budget is None else budget
        values = {
            "HOME": str(self.disk.folder.parent),
            STATE_DIR: str(self.disk.folder),
            TOKEN: self.provider.accounts[account].token,
            "RUNCOMFY_KEEP_MB": _GIBIBYTE_IN_MB if self.plan.kept else "0",
        }
        if self.edges.database is not None:
            values["RUNCOMFY_JOURNAL"] = self.edges.database.address
        if budget is not None:
            values["RUNCOMFY_DAILY_BUDGET_USD"] = str(budget)
        return Environ(values, self.account_of)

    def account_of(self, token: str) -> int:
        """Return the number of the account that a token is or was good for."""
        return next(account.number for account in self.provider.accounts if token in account.tokens)

    def wall(self) -> float:
        """What the computer's clock shows."""
        return _DAY + self.plan.hour * 3600 + self.scheduler.now + self.clock_offset

    def token_hex(self, size: int) -> str:
        """Random digits of this history."""
        return f"{self.random.getrandbits(8 * size):0{2 * size}x}"

    def tell(self, text: str) -> None:
        """Note an event."""
        self.events.append(Event(self.scheduler.now, text.replace(str(self.disk.folder), "the state folder")))

    def hear(self, record: logging.LogRecord) -> None:
        """Keep what the pack logs; a dead process says nothing."""
        owner = self.scheduler.owner
        if owner is None or owner.alive:
            self.logged.append((self.scheduler.now, record))

    def running(self) -> Run | None:
        """Return the run that the running fiber works for."""
        return RUN.get()

    def opened(self, connection: Connection) -> None:
        """Let a connection die with its process."""
        owner = self.scheduler.owner
        connection.owner = owner
        if isinstance(owner, Process):
            owner.connections.append(connection)

    def trouble(self, op: str) -> Trouble | None:
        """Return what befalls this call."""
        fault = self._strike(op)
        if fault is None:
            return None
        self.tell(f"{op}: {fault.kind}{f' {fault.value:g}' if fault.value else ''}")
        return Trouble(fault.kind, fault.value)

    def at_write(self, place: str) -> None:
        """Let others go first, or die."""
        if self.scheduler.current is not None:
            if self._strike(place) is not None:
                self.die()
            self.scheduler.pause()

    def die(self) -> None:
        """End the process of the running fiber, and start its successor."""
        process = self.scheduler.owner
        if isinstance(process, Process):
            self.scheduler.outside(lambda: self.kill(process))

    def kill(self, process: Process) -> None:
        """End a process as ``kill -9`` does, and start its successor."""
        if process.alive:
            self.tell(f"process {process.number} is killed")
            self.deaths += 1
            process.die()
            if process in self.processes:
                self.processes[process.number] = self.boot(process.number, process.environ)

    def mend(self) -> None:
        """Let nothing fail from now on, and nobody stop anything."""
        self.edges.look_for_stop(is_due=False)
        self.faults.clear()
        self.disk.mend()
        self.settled_at, self.settled_from = self.scheduler.now, len(self.runs)

    def close(self) -> None:
        """End everything that still runs."""
        for process in self.processes:
            process.die()

    def journal(self) -> Sequence[sqlite3.Row | Row]:
        """Return the rows of the journal, oldest first."""
        if self.edges.database is not None:
            return self.edges.database.jobs()
        path = self.disk.folder / JOURNAL
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.row_factory = sqlite3.Row
            begun = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone()
            return list(db.execute("SELECT * FROM jobs ORDER BY id")) if begun else []

    def _enter(self, owner: Owner | None) -> None:
        if isinstance(owner, Process):
            self.edges.enter(owner.memory)

    def _form(self) -> Form:
        return draw_form(self._forms, vendor="vendor_forms" in self.plan.rows and self._forms.random() < 0.5)

    def _fate(self) -> Fate:
        fault = self._strike("job")
        return Fate() if fault is None else Fate(fault.kind, fault.value)

    def _strike(self, at: str) -> Fault | None:
        number = self._counts[at]
        self._counts[at] += 1
        return next((one for one in self.faults if one.at == at and one.nth <= number < one.nth + one.times), None)
