"""The life of one paid job: claim, submit, wait, collect. Async lives here and in the modules this one calls."""

from __future__ import annotations

import time
from functools import partial

from ..api.retry import Operation
from ..errors import PackError
from ..media.host import MediaHost
from ..request.request import Request
from ..schema.outputs import DEFAULT_OUTPUT
from ..store.job import Job, Moment
from . import receipts
from .acquire import obtain, recognize
from .collect import JobReplaced, ResultCollector
from .context import Delivery, JobDependencies, RunContext
from .waiting import RunHost


class JobRunner(JobDependencies):
    """Runs the jobs of one account with one journal."""

    async def run(
        self,
        request: Request,
        run_host: RunHost,
        media_host: MediaHost | None = None,
        since: Moment | None = None,
    ) -> Delivery:
        """Deliver the files of a request, paying for it once at most.

        ``since`` is when a person asked for it, where that was not just now.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        run = RunContext(self, run_host, media_host)
        asked = since or Moment(self.journal.now(), time.monotonic())
        while True:
            job, ours = await obtain(run, request, asked)
            try:
                return await ResultCollector(run, job, request, request.output, ours=ours).deliver()
            except JobReplaced as replaced:
                run.note(replaced.note)
                run.begin_anew()

    async def confirm(self, request_id: str, run_host: RunHost) -> None:
        """Find out that the API knows a request as this account's.

        Raises:
            PackError: it does not, or that cannot be told; a receipt. Stopped: Stop was asked for.
        """
        run = RunContext(self, run_host)
        try:
            await run.read(Operation.STATUS, partial(self.client.status, request_id))
        except PackError as error:
            raise receipts.of_unknown(error, request_id) from None

    async def collect(
        self,
        job: Job,
        run_host: RunHost,
        output: str = DEFAULT_OUTPUT,
        media_host: MediaHost | None = None,
    ) -> Delivery:
        """Deliver the files of an accepted job, whoever submitted it. Nothing is ever submitted.

        ``output`` is their kind.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        run = RunContext(self, run_host, media_host)
        try:
            await recognize(run, job)
        except PackError as error:
            raise receipts.of_collecting(error, job.age(self.journal.now())) from None
        return await ResultCollector(run, job, None, output, ours=False).deliver()
