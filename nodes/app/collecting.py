"""What a person does with a paid job outside of a graph: collect it in the background, or cancel it."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any

from ..core.errors import PackError, step
from ..core.jobs.receipts import of_unknown
from ..core.jobs.submit import leave
from ..core.store.job import Job
from ..core.texts import Note, note
from .background import COLLECTS, BackgroundHost
from .entries import kind_of
from .service import Service


def collect(service: Service, job: Job) -> None:
    """Begin to fetch the files of a job, so that they are kept. Nothing is submitted or charged.

    It goes on whatever becomes of the page; its end is recorded.

    Raises:
        PackError: there is no request to collect, or no place for its files.
    """
    if job.request_id is None or job.state not in ("submitted", "delivered", "failed", "expired"):
        raise PackError("nothing_to_collect", request_id=job.request_id)
    if not service.settings.keep_bytes:
        raise PackError("nothing_is_kept", next=(step("keep_files"),))
    COLLECTS.start(job.id, partial(_collect, service, job))


def cancel_by_id(service: Service, request_id: str) -> tuple[Job, Note]:
    """Ask for the end of a job of the account, recorded or not; return it, and what became of that. Blocking.

    Raises:
        InvalidInput: this can be no request id. PackError: RunComfy does not know it.
    """
    job = service.find(request_id)
    if job is None:
        try:
            service.client.status(request_id)
        except PackError as error:
            raise of_unknown(error, request_id) from None
        job = service.adopt(request_id)
    told = cancel(service, job)
    return service.find(request_id) or job, told


def cancel(service: Service, job: Job) -> Note:
    """Ask for the end of a job, unless somebody waits for it, and return what became of that. Blocking, for 5 s."""
    host = BackgroundHost()
    if job.request_id is None or job.state != "submitted" or job.has_result:
        return note("cancel.ended")
    leave(service.client, service.journal, job, host)
    return host.last.notes[-1] if host.last else note("cancel.ended")


def _collect(service: Service, job: Job, host: BackgroundHost) -> Coroutine[Any, Any, object]:
    return service.jobs.collect(job, host, kind_of(job))
