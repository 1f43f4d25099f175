"""The life of one paid job: claim, submit, wait, collect. Async lives here and in the modules this one calls."""

from __future__ import annotations

from ..store.job import Job
from .acquire import obtain
from .collect import Collecting, Superseded
from .context import Delivery, Means, Request, Run
from .waiting import Observer


class Jobs(Means):
    """Runs the jobs of one account with one journal."""

    async def run(self, request: Request, observer: Observer) -> Delivery:
        """Deliver the pictures of a request, paying for it once at most.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        run = Run(self, observer)
        while True:
            job, ours = await obtain(run, request)
            try:
                return await Collecting(run, job, request, ours=ours).deliver()
            except Superseded as reason:
                run.note(f"{reason} This is a new job.")
                run.begin_anew()

    async def collect(self, job: Job, observer: Observer) -> Delivery:
        """Deliver the pictures of an accepted job, whoever submitted it. Nothing is ever submitted.

        Raises:
            PackError: a receipt. Stopped: Stop was asked for.
        """
        return await Collecting(Run(self, observer), job, None, ours=False).deliver()
