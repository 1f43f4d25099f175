"""What a command brings: its exit status, and on stdout lines for a person or, with ``--json``, one object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ..core.errors import Charge, ConfigError, InvalidInput, JobCancelled, JobFailed, JournalError, PackError

JSONObject = dict[str, object]


class Status(IntEnum):
    """The exit statuses, which scripts rely on."""

    DONE = 0
    BROKEN = 1
    WRONG_INPUT = 2
    NOT_SET_UP = 3
    NOT_CHARGED = 4
    CHARGED = 5
    NOT_KNOWN = 6
    STOPPED = 130


MEANINGS = {
    Status.DONE: "done",
    Status.BROKEN: "the program itself failed",
    Status.WRONG_INPUT: "wrong input: nothing was sent",
    Status.NOT_SET_UP: "not set up: no token, no emulator, a setting or a folder that cannot be used",
    Status.NOT_CHARGED: "refused or failed, not charged",
    Status.CHARGED: "charged, and not everything that was paid for is here",
    Status.NOT_KNOWN: "whether it was charged is not known",
    Status.STOPPED: "stopped (Ctrl-C)",
}
# Of several jobs, the first of these that one of them ended with.
_GRAVEST = (
    Status.STOPPED,
    Status.BROKEN,
    Status.NOT_KNOWN,
    Status.CHARGED,
    Status.NOT_CHARGED,
    Status.NOT_SET_UP,
    Status.WRONG_INPUT,
    Status.DONE,
)
_OF_CHARGE = {Charge.NO: Status.NOT_CHARGED, Charge.YES: Status.CHARGED, Charge.UNKNOWN: Status.NOT_KNOWN}
_WORDS = {
    Status.WRONG_INPUT: "wrong_input",
    Status.NOT_SET_UP: "not_set_up",
    Status.NOT_CHARGED: "refused",
    Status.CHARGED: "failed",
    Status.NOT_KNOWN: "not_known",
}


def status_of(error: PackError) -> Status:
    """Return the exit status that an error ends a command with."""
    if isinstance(error, InvalidInput):
        return Status.WRONG_INPUT
    if isinstance(error, ConfigError | JournalError):
        return Status.NOT_SET_UP
    return _OF_CHARGE[error.failure.charge]


def word_of(error: PackError) -> str:
    """Return the state that an error leaves a job in, in a word."""
    if isinstance(error, JobCancelled):
        return "cancelled"
    if isinstance(error, JobFailed):
        return "failed"
    return _WORDS[status_of(error)]


def gravest(statuses: list[Status]) -> Status:
    """Return the status of a command with several jobs."""
    return min(statuses, key=_GRAVEST.index, default=Status.DONE)


def help_text() -> str:
    """Return the table of exit statuses."""
    return "\n".join(["exit statuses:", *(f"  {status:>3}  {meaning}" for status, meaning in MEANINGS.items())])


@dataclass(frozen=True)
class Report:
    """The object of ``--json``, the lines in place of it, and the exit status.

    ``told`` are receipts and stand on stderr, whatever form stdout has.
    """

    payload: Mapping[str, object]
    lines: Sequence[str] = ()
    status: Status = Status.DONE
    told: Sequence[str] = ()

    def text(self, *, as_json: bool) -> str:
        """Return what stands on stdout."""
        if as_json:
            return json.dumps(self.payload, ensure_ascii=False, indent=2) + "\n"
        return "".join(f"{line}\n" for line in self.lines)


def failed(error: PackError) -> Report:
    """Return the report of a command that an error has ended."""
    # Where nothing is set up yet, nothing was tried: then a line says what to do.
    line = " ".join(map(str, (error.note, *error.failure.next)))
    told = line if isinstance(error, ConfigError) else str(error)
    return Report(job_payload(word_of(error), None, error), status=status_of(error), told=[told])


def misused(message: str, usage: str) -> Report:
    """Return the report of a command line that cannot be read."""
    payload = job_payload("wrong_input") | {"failure": {"kind": "usage", "message": message}}
    return Report(payload, status=Status.WRONG_INPUT, told=[f"{usage}error: {message}"])


def stopped(report: Report | None = None, left: Sequence[str] = ()) -> Report:
    """Return the report of a command that Ctrl-C has ended, and what became of the jobs that it left."""
    payload = {**(report.payload if report else job_payload("stopped")), "state": "stopped", "notes": list(left)}
    told, lines = (report.told, report.lines) if report else ((), ())
    return Report(payload, lines, Status.STOPPED, [*told, " ".join(["Stopped.", *left])])


def job_payload(
    state: str, known: Mapping[str, object] | None = None, error: PackError | None = None
) -> JSONObject:
    """Return one job as ``--json`` has it: every key is always there."""
    failure = error.failure if error else None
    return {
        "state": state,
        "request_id": failure.request_id if failure else None,
        "cost_usd": failure.cost if failure else None,
        "charged": failure.charge.value if failure else "no",
        "files": [],
        "urls": [],
        "notes": [],
        "failure": {**failure.payload(), "message": str(failure.note)} if failure else None,
        **(known or {}),
    }


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return rows as lines with columns; those whose numbers are in ``right`` end at one place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cell(cell, widths[i], i in right) for i, cell in enumerate(row)).rstrip() for row in rows]


def _cell(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
