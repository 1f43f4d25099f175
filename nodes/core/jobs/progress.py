"""What a run tells while it goes on, and the words a person sees for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum

from ..errors import money

# The last part of the bar belongs to the end of the job and to its files.
MOST_EXPECTED = 0.95


class Stage(Enum):
    """Where a run is."""

    PREPARING = "preparing"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    DOWNLOADING = "downloading"
    DELIVERED = "delivered"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """One report. ``seconds`` since the submission, 0 if unknown; ``done`` of ``total`` files; ``cost`` in USD.

    ``fraction`` in 0..1 is how far the run is expected to be, None while nothing is known. ``sent`` says how each
    reference travelled; ``notes`` are whole sentences.
    """

    stage: Stage
    request_id: str | None = None
    seconds: float = 0.0
    position: int | None = None
    fraction: float | None = None
    done: int = 0
    total: int = 0
    cost: float | None = None
    kept: bool = False
    sent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more is expected of the run."""
        return self.stage in (Stage.DELIVERED, Stage.STOPPED, Stage.FAILED)

    def payload(self) -> dict[str, object]:
        """Return every field as a JSON value: what the page shows in its own words."""
        return {**asdict(self), "stage": self.stage.value}

    def headline(self) -> str:
        """Return the state in one line."""
        match self.stage:
            case Stage.PREPARING:
                return "Preparing the request"
            case Stage.SUBMITTING:
                return "Submitting"
            case Stage.QUEUED:
                place = "" if self.position is None else f", position {self.position}"
                return f"Queued{place}, {self.seconds:.0f} s"
            case Stage.RUNNING:
                return f"Running, {self.seconds:.0f} s"
            case Stage.DOWNLOADING:
                return f"Downloading, {self.done} of {self.total}"
            case Stage.DELIVERED:
                return self._delivered()
            case Stage.STOPPED:
                return "Stopped"
            case Stage.FAILED:
                return "Failed"

    def text(self) -> str:
        """Return everything that is known, a line each."""
        lines = [self.headline(), *self.notes, *self.sent]
        if self.request_id:
            lines.append(f"Request {self.request_id}")
        return "\n".join(lines)

    def _delivered(self) -> str:
        images = f"{self.total} image{'' if self.total == 1 else 's'}"
        if self.kept:
            return f"{images}, kept copy, no charge"
        taken = f" in {self.seconds:.0f} s" if self.seconds else ""
        return f"{images}{taken}{money(self.cost, ', ')}"


def expected_fraction(waited: float, durations: Sequence[float]) -> float | None:
    """Return how far a job is expected to be, ``waited`` seconds after its submission; None while nothing is known.

    Each earlier job (``durations``, in seconds) stands for a bar that fills over its own length; this is their
    mean. So it never runs backwards, slows down when a job takes longer than most, and one that took very long
    moves it little. It ends at ``MOST_EXPECTED``: only the images fill the rest.
    """
    known = [duration for duration in durations if duration > 0]
    if not known:
        return None
    return MOST_EXPECTED * sum(min(1.0, max(0.0, waited) / duration) for duration in known) / len(known)
