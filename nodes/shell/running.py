"""Runs jobs, a bounded number at once, saves what they bring, and tells how each has ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import (
    Charge,
    ConfigError,
    InsufficientBalance,
    JournalError,
    OverBudget,
    PackError,
    Unauthorized,
    step,
)
from ..core.urls import is_loopback
from ..core.version import SHELL
from .report import JSONObject, Report, Status, failed, gravest, job_payload
from .saving import Made, Place
from .terminal import Interrupted, ShellHost

if TYPE_CHECKING:
    from ..core.jobs.context import Delivery

# What one job has met with, the next one would.
_HOPELESS = (ConfigError, JournalError, Unauthorized, InsufficientBalance, OverBudget)


@dataclass(frozen=True)
class Work:
    """One job to be run: what delivers it, what its files are called, and what ``--json`` tells of it beforehand.

    ``place`` says which of several it is.
    """

    deliver: Callable[[], Coroutine[None, None, Delivery]]
    made: Made
    known: JSONObject
    place: str = ""


class Runner:
    """Runs jobs in one call. ``lasting``: what is done lasts beyond the command."""

    def __init__(self, out: Place, host: ShellHost, *, lasting: bool) -> None:
        self._out = out
        self._host = host
        self._lasting = lasting
        self._hopeless = False

    def run(self, works: Sequence[Work], at_once: int = 1) -> Report:
        """Run them all; what one of them meets with leaves the others alone. Ctrl-C stops them."""
        signal.signal(signal.SIGINT, self._host.stop)
        self._host.count = len(works)
        reports = asyncio.run(self._all(works, at_once))
        return reports[0] if len(reports) == 1 else several(reports)

    async def _all(self, works: Sequence[Work], at_once: int) -> list[Report]:
        places = asyncio.Semaphore(at_once)
        return await asyncio.gather(*(self._one(work, places) for work in works))

    async def _one(self, work: Work, places: asyncio.Semaphore) -> Report:
        async with places:
            if self._host.stopped():
                return Report(job_payload("stopped", work.known), status=Status.STOPPED)
            if self._hopeless:
                return Report(job_payload("not_run", work.known), status=Status.NOT_CHARGED)
            report = await self._ended(work)
            self._host.ended += 1
            return report

    async def _ended(self, work: Work) -> Report:
        try:
            delivery = await work.deliver()
            return await asyncio.to_thread(self._saved, work, delivery)
        except Interrupted:
            return Report(job_payload("stopped", work.known), status=Status.STOPPED)
        except PackError as error:
            self._hopeless |= isinstance(error, _HOPELESS)
            report = failed(error)
            told = [f"{work.place}: {text}" if work.place else text for text in report.told]
            return replace(report, payload={**report.payload, **work.known}, told=told)

    def _saved(self, work: Work, delivery: Delivery) -> Report:
        """Save the files of a delivery. Blocking."""
        try:
            paths = self._out.save(delivery.files, replace(work.made, request_id=delivery.request_id))
        except OSError as error:
            raise self._unsaved(error, delivery) from None
        progress = delivery.progress
        details = [*progress.details(), *map(str, self._out.notes(delivery.files, paths))]
        told = "; ".join([progress.headline(), *details])
        self._host.tell(f"{work.place}: {told}" if work.place else told)
        urls = [url for url in delivery.urls if not is_loopback(url)]
        known: JSONObject = {
            "request_id": delivery.request_id,
            "cost_usd": progress.cost,
            "charged": "no" if progress.kept else _charged(progress.cost),
            "files": list(map(str, paths)),
            "urls": urls,
            "notes": details,
            "missing": delivery.missing,
        }
        payload = job_payload("partial" if delivery.missing else "delivered", {**known, **work.known})
        lines = [*map(str, paths), *(f"hosted: {url}" for url in urls)]
        return Report(payload, lines, Status.CHARGED if delivery.missing else Status.DONE)

    def _unsaved(self, error: OSError, delivery: Delivery) -> PackError:
        """Return the receipt of files that could not be saved."""
        request_id, charge, cost, next_step = None, Charge.NO, None, step("choose_other_out")
        if self._lasting:
            request_id, cost = delivery.request_id, delivery.progress.cost
            charge = Charge.NO if cost == 0 else Charge.YES
            next_step = step("collect_to_other_out", shell=SHELL, request_id=request_id)
        folder = str(Path(error.filename).parent) if error.filename else self._out.text
        found = error.strerror or type(error).__name__
        return PackError(
            "images_unsaved", folder=folder, error=found, request_id=request_id, charge=charge, cost=cost,
            next=(next_step,),
        )  # fmt: skip


def several(reports: Sequence[Report]) -> Report:
    """Return one report of several jobs, in their order."""
    jobs = [dict(report.payload) for report in reports]
    status = gravest([report.status for report in reports])
    costs = [float(str(job["cost_usd"])) for job in jobs if job["charged"] == "yes" and job["cost_usd"] is not None]
    done = sum(report.status is Status.DONE for report in reports)
    payload: JSONObject = {
        "state": "delivered" if done == len(reports) else "partial" if done else str(jobs[0]["state"]),
        "cost_usd": round(sum(costs, 0.0), 6),
        "files": [file for job in jobs for file in _listed(job["files"])],
        "jobs": jobs,
    }
    left_out = sum(job["state"] == "not_run" for job in jobs)
    told = [text for report in reports for text in report.told]
    return Report(
        payload,
        [line for report in reports for line in report.lines],
        status,
        [*told, *([f"{left_out} more were not run: the next call runs them."] if left_out else [])],
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _charged(cost: float | None) -> str:
    return Charge.UNKNOWN.value if cost is None else Charge.YES.value if cost > 0 else Charge.NO.value
