"""The record of paid jobs: looked through, and what a person does with a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .asked import Answer, Answers, Asked

if TYPE_CHECKING:
    from ...app.files import KeptFile, MadeFile


class JobAnswers(Answers):
    """What the sidebar asks for. To look needs no token; what is asked of RunComfy does.

    Raises (all with ``id``):
        InvalidInput: there is no such job in the record.
    """

    def jobs(self, asked: Asked) -> Answer:
        """Return recorded jobs, the newest first: all, or those that are asked for."""
        return self._record().page(asked)

    def job(self, asked: Asked) -> Answer:
        """Return the job ``id`` with the inputs that are kept of it."""
        return self._record().job(asked.get("id"))

    def job_file(self, asked: Asked) -> KeptFile | None:
        """Return file ``index`` of the job ``id`` as it came; None where it is not kept."""
        from ...app.files import original

        return original(self._record(), asked.get("id"), asked.get("index"))

    def thumbnail(self, asked: Asked) -> MadeFile | None:
        """Return a copy of about ``edge`` pixels of file ``index`` of the job ``id``; None where it is not kept."""
        from ...app.files import small_copy

        return small_copy(self._record(), asked.get("id"), asked.get("index"), asked.get("edge"))

    def spend(self, _: Asked) -> Answer:
        """Return what was spent today, this month, on each of the last 31 days, and on each model."""
        return self._record().spent()

    def export_jobs(self, _: Asked) -> MadeFile:
        """Return all jobs as a table."""
        from ...app.files import MadeFile

        record = self._record()
        # The mark at its beginning tells a spreadsheet how the text is written.
        return MadeFile(lambda: record.export().encode("utf-8-sig"), "text/csv", name="runcomfy-jobs.csv")

    def collect_job(self, asked: Asked) -> Answer:
        """Begin to fetch the files of the job ``id`` in the background, and return it as it is now.

        Raises:
            ConfigError: there is no usable token. PackError: there is nothing to collect.
        """
        from ...app.collecting import collect

        record = self._record()
        collect(self._service().jobs, self._folder(), record.entry(asked.get("id")).job)
        return record.view(record.entry(asked.get("id")))

    def cancel_job(self, asked: Asked) -> Answer:
        """Ask for the end of the job ``id``, where nobody waits for it; ``told`` says what became of that.

        Raises:
            ConfigError: there is no usable token.
        """
        from ...app.collecting import cancel

        record = self._record()
        told = cancel(self._service().jobs, record.entry(asked.get("id")).job)
        return {**record.view(record.entry(asked.get("id"))), "told": told.payload()}

    def retry_job(self, asked: Asked) -> Answer:
        """Let a new job be paid for in place of the one whose id is ``request_id``.

        Raises:
            PackError: there is no such job, or it needs no permission.
        """
        from ...app.account import allow_retry

        return allow_retry(self._record().journal, asked.get("request_id"))

    def forget_job(self, asked: Asked) -> Answer:
        """Remove the job ``id`` and what is kept of it.

        Raises:
            PackError: somebody works on it.
        """
        self._record().forget(asked.get("id"))
        return {}

    def forget_inputs(self, _: Asked) -> Answer:
        """Erase the inputs that are kept beside all jobs."""
        self._record().journal.forget_inputs()
        return {}
