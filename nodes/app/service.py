"""Puts the parts together for the settings of the moment, and keeps them while the settings stay."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..core import threads
from ..core.api.client import Client
from ..core.api.responses import is_request_id
from ..core.config.settings import Settings
from ..core.config.sharing import journal_address, kept_folder
from ..core.errors import InvalidInput, JournalError
from ..core.http.download import Downloader, Trust
from ..core.jobs.runner import JobRunner
from ..core.money import Price
from ..core.request.build import build_request
from ..core.request.encode_once import Encoder, Reference
from ..core.request.recorded import recorded_inputs
from ..core.request.request import Request
from ..core.request.validate import Arguments
from ..core.store.away.kept_jobs import kept_job, unrecorded
from ..core.store.budget import Budget
from ..core.store.file_cache import FileCache
from ..core.store.job import Author, Job, NewJob
from ..core.store.journal import Journal
from ..core.version import USER_AGENT
from .catalogue.keep_up import KeepUp, asked_of
from .catalogue.live import LiveEntries
from .collecting import COLLECTS
from .record import Record

NOBODY = Author()
# Some dozens of large references: those that somebody goes on working with.
ENCODED_BYTES = 256 * 2**20


class Service:
    """The jobs of one account, and what the page and the shell ask beside them."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self.client = Client(settings.base_url, settings.token, USER_AGENT, balance_url=settings.balance_url)
        self.account = journal.account(settings.token, settings.base_url)
        self.encoder = Encoder(
            FileCache(settings.state_folder / "encoded", min(settings.keep_bytes, ENCODED_BYTES))
        )
        daily = settings.daily_budget_usd
        self.jobs = JobRunner(
            self.client,
            journal,
            FileCache(settings.kept_folder, settings.keep_bytes),
            Downloader(Trust(settings.download_hosts, settings.local_origin), USER_AGENT),
            account=self.account,
            budget=Budget(daily, settings.max_cost_usd, settings.budgets) if settings.has_budget else None,
            deadline=settings.job_deadline,
        )
        self.entries = LiveEntries(lambda model_id: self.client.entry(model_id))
        self.keep_up = KeepUp(self.entries, settings.state_folder)

    def request(
        self,
        arguments: Arguments,
        references: Sequence[Reference],
        price: Price | None,
        author: Author = NOBODY,
    ) -> Request:
        """Make the request of checked inputs. ``price`` is the catalogue's base price. Blocking."""
        settings = self.settings
        kept = recorded_inputs(arguments, references, settings.token) if settings.keep_inputs else None
        made = build_request(
            arguments, references, self.encoder, self.journal, settings.base_url, self.account, price, kept
        )
        author = Author(author.user, settings.host_name, author.project or settings.project)
        asked = asked_of(arguments, references)
        return replace(
            made,
            new_job=replace(made.new_job, author=author),
            prepare=partial(self.keep_up.prepared, asked, made.prepare),
        )

    def find(self, request_id: object) -> Job | None:
        """Return the recorded job with a request id. Blocking.

        Raises:
            InvalidInput: this can be no request id.
        """
        if not isinstance(request_id, str) or not is_request_id(request_id):
            raise InvalidInput("request_id", "not_an_id")
        try:
            return self.journal.find(request_id)
        except JournalError:
            if not self.journal.may_be_away:
                raise
            return kept_job(self.jobs.file_cache, request_id=request_id)

    def adopt(self, request_id: str) -> Job:
        """Record a job that was submitted elsewhere, and that the API knows as this account's. Blocking.

        While a shared record is away, the job is not recorded: whoever submitted it has done so.
        """
        fingerprint = self.journal.fingerprint(self.settings.base_url, {"request_id": request_id})
        new_job = NewJob(fingerprint, self.account, model_id="")
        try:
            return self.journal.adopt(new_job, request_id)
        except JournalError:
            if not self.journal.may_be_away:
                raise
            return unrecorded(new_job, request_id, self.journal.now())


_lock = threading.Lock()
_services: dict[Settings, Service] = {}
_journals: dict[tuple[Path, str], Journal] = {}


def open_service(settings: Settings) -> Service:
    """Return the service of these settings. Blocking: the first call opens the journal.

    Raises:
        JournalError: the state folder cannot be used; the next call tries again.
    """
    with _lock:
        if settings not in _services:
            _services[settings] = Service(settings, _journal(settings.state_folder, settings.journal))
        return _services[settings]


def open_record(folder: Path) -> Record:
    """Return the record of a state folder, whether there is a token or not. Blocking.

    Raises:
        JournalError: the folder cannot be used.
    """
    with _lock:
        # It writes no file, so that nothing of it is to be bounded.
        return Record(_journal(folder, journal_address(os.environ)), FileCache(kept_folder(os.environ, folder), 0))


def _journal(folder: Path, address: str) -> Journal:
    if (folder, address) not in _journals:
        _journals[folder, address] = Journal(folder, address=address)
    return _journals[folder, address]


@atexit.register
def _close_journals() -> None:
    """Close every journal at the end of the process: what its disk could not hold is written then, if it can be."""
    for journal in list(_journals.values()):
        journal.close()


if hasattr(os, "register_at_fork"):
    # What a child process has of them is its parent's: its end must not end the parent's lease.
    os.register_at_fork(after_in_child=partial(atexit.unregister, _close_journals))


def close_services() -> None:
    """Close every journal and connection, once what must not be lost is done. Later calls open them again."""
    COLLECTS.close()
    threads.finish()
    with _lock:
        for service in _services.values():
            service.client.close()
            service.jobs.downloader.close()
        _close_journals()
        _services.clear()
        _journals.clear()
