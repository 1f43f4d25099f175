"""The commands for jobs that are recorded: list them, allow one to be paid for again, cancel one, copy them all."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.config.settings import read_settings, state_folder
from ..core.config.sharing import journal_address
from ..core.errors import ConfigError, step
from ..core.money import money
from ..core.store.copying import copy_record
from ..core.store.engines import VARIABLE
from ..core.store.history import Entry, Wanted, page
from ..core.store.journal import FILE_NAME
from ..core.texts import note
from .report import JSONObject, Report, Status, job_payload, table

if TYPE_CHECKING:
    from ..app.record import Record

SQLITE, POSTGRES = "sqlite", "postgres"
PLACES = f"{SQLITE} (the state folder), {POSTGRES} (the address in {VARIABLE}), a state folder, or an address"
_HEADER = ("DATE", "STATE", "COST", "MODEL", "REQUEST", "PROMPT")
_COST = _HEADER.index("COST")
_USUAL_COLUMNS = 120
_LEAST_PROMPT = 20


def list_jobs(options: argparse.Namespace) -> Report:
    """List the recorded jobs that are asked for, the newest first."""
    wanted = Wanted(
        search=" ".join(options.search),
        model_id=options.model,
        state=options.state,
        since=options.since,
        in_need=options.needs,
    )
    with record() as found:
        if found is None:
            return Report({"jobs": []}, [f"No job is recorded in {_folder()}."])
        entries = found.journal.read(lambda db, owner: page(db, owner, wanted, options.limit))
    rows = [_row(entry) for entry in entries]
    lines = _fitting(table([_HEADER, *rows], right=(_COST,))) if rows else ["No recorded job is like that."]
    return Report({"jobs": [_payload(entry) for entry in entries]}, lines)


def allow_retry(options: argparse.Namespace) -> Report:
    """Let a new job be paid for, once, in place of a recorded one.

    Raises:
        InvalidInput: no such job is recorded. PackError: it needs no permission.
    """
    with record(must_be_there=True) as found:
        assert found
        job = found.journal.allow_retry(options.request_id)
    told = note("note.retry_allowed", request_id=job.request_id)
    payload = job_payload(
        "retry_allowed", {"request_id": job.request_id, "cost_usd": job.cost, "notes": [str(told)]}
    )
    return Report(payload, [str(told)])


def cancel_job(options: argparse.Namespace) -> Report:
    """Ask for the end of a job of the account.

    Raises:
        PackError: a receipt.
    """
    from ..app.account import cancel_by_id
    from ..app.service import close_services, open_service

    settings = read_settings(os.environ, Path.home())
    try:
        job, told = cancel_by_id(open_service(settings), options.request_id)
    finally:
        close_services()
    done = told.kind == "cancel.cancelled"
    status = Status.DONE if done else Status.CHARGED if job.paid else Status.NOT_KNOWN
    known = {
        "request_id": job.request_id,
        "cost_usd": job.cost,
        "charged": {Status.DONE: "no", Status.CHARGED: "yes"}.get(status, "unknown"),
        "notes": [str(told)],
    }
    payload = job_payload("cancelled" if done else "not_cancelled", known)
    return Report(payload, [str(told)], status)


def copy_journal(options: argparse.Namespace) -> Report:
    """Copy a whole record.

    Raises:
        PackError: nothing was copied.
    """
    jobs = copy_record(_place(options.source), _place(options.target))
    told = f"{jobs} jobs are copied. Set {VARIABLE} on every host before it starts again, or unset it."
    return Report({"state": "done", "jobs": jobs}, [told])


@contextlib.contextmanager
def record(*, must_be_there: bool = False) -> Iterator[Record | None]:
    """Open the record where there is one; no token is needed.

    Raises:
        ConfigError, JournalError.
    """
    from ..app.service import close_services, open_record

    folder = _folder()
    elsewhere = journal_address(os.environ)
    if not must_be_there and not elsewhere and not (folder / FILE_NAME).exists():
        yield None
        return
    try:
        yield open_record(folder)
    finally:
        close_services()


def _place(text: str) -> tuple[Path, str]:
    """Return a state folder, and the address of a server or ''."""
    folder = _folder()
    if text == SQLITE:
        return folder, ""
    if text == POSTGRES:
        address = journal_address(os.environ)
        if not address:
            raise ConfigError("journal_address", variable=VARIABLE, next=(step("write_journal_address"),))
        return folder, address
    return (folder, text) if "://" in text else (Path(text), "")


def _folder() -> Path:
    return state_folder(os.environ, Path.home())


def _row(entry: Entry) -> tuple[str, ...]:
    job = entry.job
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created_at))
    prompt = " ".join(entry.prompt.split()) or "-"
    return date, job.state, money(job.cost) or "-", job.model_id or "-", job.request_id or "-", prompt


def _fitting(lines: list[str]) -> list[str]:
    """Cut the prompts on a terminal; elsewhere they are whole."""
    if not sys.stdout.isatty():
        return lines
    start = lines[0].index(_HEADER[-1])
    columns = shutil.get_terminal_size((_USUAL_COLUMNS, 0)).columns
    width = max(_LEAST_PROMPT, columns - start)
    return [line[:start] + textwrap.shorten(line[start:], width, placeholder=" …") for line in lines]


def _payload(entry: Entry) -> JSONObject:
    from ..app.entries import charge_of

    job = entry.job
    return {
        "request_id": job.request_id,
        "state": job.state,
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(job.created_at)),
        "model_id": job.model_id,
        "prompt": entry.prompt,
        "seed": entry.seed,
        "size": job.size,
        "count": job.count,
        "cost_usd": job.cost,
        "charged": {"charged": "yes", "none": "no"}.get(charge_of(job), "unknown"),
        "urls": list(job.files),
        "notes": [str(job.outcome)] if job.outcome else [],
        "needs": entry.need,
    }
