"""What the journal holds of a job, and what a claim of one finds.

A job's state says what may be done with the same fingerprint again:

    preparing   claimed by a living process; nothing has been sent
    submitting  the POST may be on its way; without its process, its answer is lost
    lost        the POST's answer was lost, and nobody has been told yet
    submitted   accepted, request id known: attach to it
    delivered   its images have been handed out: hand them out again
    failed, cancelled, refused, unknown, expired   ended: submit anew
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..texts import Note

JobState: TypeAlias = Literal[
    "preparing",
    "submitting",
    "lost",
    "submitted",
    "delivered",
    "failed",
    "cancelled",
    "refused",
    "unknown",
    "expired",
]

LIVE: tuple[JobState, ...] = ("preparing", "submitting", "lost", "submitted", "delivered")
# From which states each state can be reached: a late writer cannot undo what another run has achieved since.
BEFORE: dict[JobState, tuple[JobState, ...]] = {
    "preparing": ("submitting",),
    "submitting": ("preparing",),
    "submitted": ("preparing", "submitting", "lost", "unknown"),
    "lost": ("submitting",),
    "unknown": ("submitting", "lost"),
    "refused": ("submitting",),
    "delivered": ("submitted", "failed", "expired"),
    "failed": ("submitted", "delivered"),
    "cancelled": ("submitted",),
    "expired": ("submitted", "delivered"),
}


@dataclass(frozen=True)
class Job:
    """One row. Times are in seconds since the epoch, ``duration`` in seconds, money in USD.

    ``size`` and ``count`` are what was asked for, as the model calls it; '' and None where it asks for neither.
    ``files`` are the URLs of hosted files. ``outcome`` says what became of the job, where that is not its state.
    """

    id: int
    fingerprint: str
    account: str
    model_id: str
    size: str
    count: int | None
    state: JobState
    owner: str
    request_id: str | None
    created_at: float
    submitted_at: float | None
    ended_at: float | None
    duration: float | None
    estimate: float | None
    cost: float | None
    files: tuple[str, ...]
    outcome: Note | None

    @property
    def name(self) -> str:
        """A name for its kept files: ids begin anew with a new journal, and fingerprints come again."""
        return f"{self.fingerprint[:16]}-{self.id}"


@dataclass(frozen=True)
class NewJob:
    """What a claim is made for. Jobs of one ``size`` and ``count`` take about as long; ``estimate`` is in USD."""

    fingerprint: str
    account: str
    model_id: str
    size: str = ""
    count: int | None = None
    estimate: float | None = None


@dataclass(frozen=True)
class Claimed:
    """The job is the caller's to submit."""

    job: Job


@dataclass(frozen=True)
class Busy:
    """Another run is about to submit the same job: look again shortly."""

    job: Job


@dataclass(frozen=True)
class OutcomeUnknown:
    """An earlier submission's answer was lost. The person is told, and then ``mark_reported`` is called."""

    job: Job


@dataclass(frozen=True)
class Existing:
    """The same job has been accepted or delivered before: no new submission is needed."""

    job: Job


Claim: TypeAlias = Claimed | Busy | OutcomeUnknown | Existing
