"""What the journal holds of a job, and what a claim of one finds.

A job's state says what may be done with the same fingerprint again:

    preparing   claimed by a living process; nothing has been sent
    submitting  the POST may be on its way; if its process has died, its answer is lost
    lost        the POST's answer was lost, and nobody has been told yet
    submitted   accepted, request id known: attach to it
    delivered   its images have been handed out: hand them out again
    failed, cancelled, refused, unknown, expired   ended: submit anew; where it was paid, with a permission alone
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    ``files`` are the URLs of hosted files, and the kept ones lie under ``name``; ``has_result``: files were ready
    once. ``outcome`` says what became of the job, where that is not its state. ``account`` stands for the token
    that the API told of it last. ``retry_allowed``: a person lets another job be paid for in place of this one.
    ``kind`` is that of its files, ``node_id`` the node that made it; '' where a version before 0.2 recorded it.
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
    name: str = ""
    has_result: bool = False
    retry_allowed: bool = False
    kind: str = ""
    node_id: str = ""

    @property
    def paid(self) -> bool:
        """Whether money was taken for it, as far as is known."""
        return self.has_result if self.cost is None else self.cost > 0

    def age(self, now: float) -> float:
        """Return the seconds since its submission; ``now`` is in seconds since the epoch."""
        return max(0.0, now - (self.submitted_at or self.created_at))

    @property
    def without_image(self) -> bool:
        """Whether an earlier run was told that it ended without an image: one may still appear."""
        return self.outcome is not None and self.outcome.kind in ("failure.no_image", "failure.no_file")

    @property
    def ended_paid(self) -> bool:
        """Whether it was paid for and has nothing to hand out: only a person lets another one take its place."""
        return self.paid and self.state in ("failed", "expired")


@dataclass(frozen=True)
class JobInputs:
    """What is kept of a job's inputs, to recognise it by and to set a node to them again.

    ``scalars`` are the values of its widgets by name, without secrets; ``media`` the sockets and the SHA-256 hashes
    of what came over them, in order.
    """

    prompt: str = ""
    seed: int | None = None
    scalars: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    media: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Author:
    """Who asks for a job: a user of the host, the host's own name, and what it is for; '' where nothing tells."""

    user: str = ""
    host: str = ""
    project: str = ""


@dataclass(frozen=True)
class NewJob:
    """What a claim is made for. Jobs of one ``size`` and ``count`` take about as long and cost about as much.

    ``base_price`` in USD is what the catalogue tells of such a job: the least. ``former_fingerprints`` are what
    versions before 0.2 made of the same inputs. Jobs of one ``take`` differ in their seed alone. ``inputs`` are
    None where they are not to be kept.
    """

    fingerprint: str
    account: str
    model_id: str
    size: str = ""
    count: int | None = None
    base_price: float | None = None
    former_fingerprints: tuple[str, ...] = ()
    kind: str = ""
    node_id: str = ""
    take: str = ""
    inputs: JobInputs | None = None
    author: Author = Author()


@dataclass(frozen=True)
class Moment:
    """A moment: in seconds since the epoch, and in those of a clock that nobody sets."""

    wall: float
    steady: float


@dataclass(frozen=True)
class Asked:
    """Who claims: since when, and which jobs it found to be its account's, or not."""

    since: Moment | None = None
    is_ours: dict[int, bool] = field(default_factory=dict)


JUST_NOW = Asked()


@dataclass(frozen=True)
class Claimed:
    """The claim is the caller's, who submits the job or releases it."""

    job: Job


@dataclass(frozen=True)
class Busy:
    """Another run is about to submit the same job: look again shortly."""

    job: Job


@dataclass(frozen=True)
class OutcomeUnknown:
    """An earlier submission's answer was lost. The caller tells the person and calls ``mark_reported``."""

    job: Job


@dataclass(frozen=True)
class Existing:
    """The same job has been accepted or delivered before: no new submission is needed."""

    job: Job


@dataclass(frozen=True)
class PermissionNeeded:
    """The same job failed and was charged: it is paid for again only with a person's permission."""

    job: Job


@dataclass(frozen=True)
class PriceAwaited:
    """There is a budget, and what such a job costs is known once this other one has ended: look again then."""

    job: Job


Claim: TypeAlias = Claimed | Busy | OutcomeUnknown | Existing | PermissionNeeded | PriceAwaited
