"""The record of paid jobs as a person looks through it on the page. It needs no token, and no network."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from ..core.errors import InvalidInput
from ..core.store import history, inputs
from ..core.store.engines.engine import Lease, Session
from ..core.store.file_cache import FileCache
from ..core.store.history import Entry, Place, Wanted
from ..core.store.job import BEFORE, Job
from ..core.store.journal import Journal
from ..core.store.spending import By, Spent, spent
from .collecting import COLLECTS
from .entries import JSONObject, entry_view, heading, inputs_view, model_view, receipt_view, table

MOST_JOBS = 500
USUAL_JOBS = 100
MOST_TAKES = 50
DAYS = 31
SHARES: tuple[By, ...] = ("user", "project", "host")
MAX_SEARCH = 200
_EXPORTED_AT_ONCE = 1000
SEARCHED_AT_ONCE = 10_000


class Record:
    """The jobs of one state folder, with the files that are kept of them. Every method is blocking."""

    def __init__(self, journal: Journal, kept: FileCache) -> None:
        self.journal = journal
        self.kept = kept

    def page(self, asked: Mapping[str, object]) -> JSONObject:
        """Return the jobs that are asked for, the newest first, and how many of all jobs need a person.

        ``limit`` is how many, up to 500; the others are those of ``Wanted``, and ``day`` as YYYY-MM-DD.
        """
        wanted = _wanted(asked)
        limit = min(max(1, integer(asked.get("limit"), USUAL_JOBS)), MOST_JOBS)
        found = self._found(wanted, limit + 1)
        return {
            "jobs": [self.view(entry) for entry in found[:limit]],
            "more": len(found) > limit,
            "needs": self.journal.read(history.count_in_need),
            "models": [model_view(model_id) for model_id in self.journal.read(lambda db, _: history.models(db))],
        }

    def job(self, job_id: object) -> JSONObject:
        """Return a job with the inputs that are kept of it.

        Raises:
            InvalidInput: there is none with this id.
        """
        entry = self.entry(job_id)
        known = self.journal.read(lambda db, _: inputs.of_job(db, entry.job.id))
        return {**self.view(entry), **inputs_view(known)}

    def entry(self, job_id: object) -> Entry:
        """Return a job by its id in the record.

        Raises:
            InvalidInput: there is none with this id.
        """
        number = integer(job_id, 0)
        found = self.journal.read(lambda db, owner: history.entry(db, owner, number))
        if found is None:
            raise InvalidInput("id", "no_such_job")
        return found

    def receipt(self, request_id: str) -> JSONObject:
        """Return what is known of a job by its request id, to be kept beside its files.

        Raises:
            InvalidInput: there is none.
        """
        found = self.journal.find(request_id)
        if found is None:
            raise InvalidInput("request_id", "not_recorded")
        known = self.journal.read(lambda db, _: inputs.of_job(db, found.id))
        return receipt_view(found, known)

    def keep_place(self, place: Place, request_id: str) -> None:
        """Note which node shows a job."""
        self.journal.write(lambda db: history.keep_place(db, place, request_id))

    def left_behind(self) -> dict[Place, list[Entry]]:
        """Return the jobs that nobody waits for any more, by the node that showed them."""
        return self.journal.read(history.left_behind)

    def takes(self, take: str) -> list[JSONObject]:
        """Return the delivered jobs of one take, the newest first."""
        found = self.journal.read(lambda db, owner: history.takes(db, owner, take, MOST_TAKES))
        return [self.view(entry) for entry in found]

    def view(self, entry: Entry) -> JSONObject:
        """Return a job as the page lists it, and what became of collecting it in the background."""
        return {**entry_view(entry, self.kept.look(entry.job.name)), **COLLECTS.view(entry.job.id)}

    def spent(self) -> JSONObject:
        """Return what was spent today, this month, on each of the last 31 days, and in these on what and by whom.

        ``shares`` are those of users, projects and hosts, where jobs differ in them; '' stands for those of none.
        """
        today = date.fromtimestamp(self.journal.now())
        days = [today - timedelta(days=number) for number in range(DAYS)]
        since = _midnight(days[-1])
        found = {one.name: one for one in self._spent("day", since)}
        by_day = [(day, found.get(day.isoformat())) for day in reversed(days)]
        month = [one for day, one in by_day if one and (day.year, day.month) == (today.year, today.month)]
        return {
            "today": by_day[-1][1].usd if by_day[-1][1] else 0.0,
            "month": sum(one.usd for one in month),
            "days": [
                {"day": day.isoformat(), "usd": one.usd if one else 0.0, "jobs": one.jobs if one else 0}
                for day, one in by_day
            ],
            "models": [{**model_view(one.name), **_sum(one)} for one in self._spent("model", since) if one.jobs],
            "shares": {by: shares for by in SHARES if (shares := self._shares(by, since))},
        }

    def export(self) -> str:
        """Return all jobs as CSV, the newest first."""
        return heading() + "".join(map(table, self._batches()))

    def forget(self, job_id: object) -> None:
        """Remove a job and what is kept of it.

        Raises:
            InvalidInput: there is none with this id. PackError: somebody works on it.
        """
        job = self.entry(job_id).job
        self.journal.forget(job)
        self.kept.remove(job.name)

    def file(self, job_id: object, index: object) -> tuple[Job, int, Path | None]:
        """Return a job, and where the file of it with this number lies; None where it is not kept.

        Raises:
            InvalidInput: there is no job with this id.
        """
        job, number = self.entry(job_id).job, integer(index, 0)
        return job, number, self.kept.get(job.name).get(number)

    def _spent(self, by: By, since: float) -> list[Spent]:
        return self.journal.read(lambda db, _: spent(db, by, since))

    def _shares(self, by: By, since: float) -> list[JSONObject]:
        found = [one for one in self._spent(by, since) if one.jobs]
        return [{"name": one.name, **_sum(one)} for one in found] if len(found) > 1 else []

    def _found(self, wanted: Wanted, limit: int) -> list[Entry]:
        """Return the newest jobs that are asked for; a search goes from piece to piece: no claim waits for all."""
        if not wanted.search:
            return self.journal.read(lambda db, owner: history.page(db, owner, wanted, limit))
        found: list[Entry] = []
        end = wanted.before or self.journal.read(lambda db, _: history.newest(db)) + 1
        while end > 1 and len(found) < limit:
            piece = replace(wanted, before=end, after=end - SEARCHED_AT_ONCE)
            left = limit - len(found)
            found += self.journal.read(partial(_page, wanted=piece, limit=left))
            end -= SEARCHED_AT_ONCE
        return found

    def _batches(self) -> Iterator[list[Entry]]:
        """Yield all jobs, some at a time: no claim waits for all of them."""
        before: int | None = None
        while found := self._before(before):
            yield found
            before = found[-1].job.id

    def _before(self, job_id: int | None) -> list[Entry]:
        wanted = Wanted(before=job_id)
        return self.journal.read(lambda db, owner: history.page(db, owner, wanted, _EXPORTED_AT_ONCE))


def _sum(one: Spent) -> JSONObject:
    return {"usd": one.usd, "jobs": one.jobs}


def _page(db: Session, owner: Lease, wanted: Wanted, limit: int) -> list[Entry]:
    return history.page(db, owner, wanted, limit)


def _wanted(asked: Mapping[str, object]) -> Wanted:
    since, until = _day(str(asked.get("day", "")))
    state = str(asked.get("state", ""))
    return Wanted(
        before=integer(asked.get("before"), 0) or None,
        search=str(asked.get("search", ""))[:MAX_SEARCH],
        model_id=str(asked.get("model", "")),
        state=next((known for known in BEFORE if known == state), ""),
        since=since,
        until=until,
        in_need=str(asked.get("needs", "")) == "1",
    )


def _day(text: str) -> tuple[float | None, float | None]:
    """Return the beginning and the end of a local day; None where the text is not one."""
    try:
        day = date.fromisoformat(text)
        return _midnight(day), _midnight(day + timedelta(days=1))
    except (ValueError, OverflowError, OSError):
        return None, None


def _midnight(day: date) -> float:
    return time.mktime((day.year, day.month, day.day, 0, 0, 0, 0, 0, -1))


def integer(value: object, otherwise: int) -> int:
    """Return a number that the file can hold, from JSON or from an address."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        return int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return int(value) if whole and isinstance(value, int) else otherwise
