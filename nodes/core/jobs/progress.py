"""What a run tells while it goes on, as data, and its English. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum

from ..errors import Failure
from ..money import money
from ..texts import Note, note, say

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


_DELIVERED = {"video": "state.delivered_video", "audio": "state.delivered_audio"}


@dataclass(frozen=True)
class Items:
    """How many items of a list have ended, of how many. ``jobs`` are the request ids of those under way."""

    done: int
    total: int
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """One report. ``seconds`` since the submission, 0 if unknown; ``done`` of ``total`` files; ``cost`` in USD.

    ``fraction`` in 0..1 is how far the run is expected to be, None while nothing is known. ``sent`` says how each
    reference travelled; its value ``socket`` names where it came in. ``kept``: the files are a kept copy.
    ``medium`` is what they are: an image where it is ''.

    With ``items`` it is about a list: the files are those that came so far, ``failure`` tells of what failed.
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
    medium: str = ""
    sent: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()
    failure: Failure | None = None
    items: Items | None = None

    @property
    def jobs(self) -> tuple[str, ...]:
        """The request ids of the jobs that the run waits for, or has waited for."""
        return (self.request_id,) if self.request_id else self.items.jobs if self.items else ()

    @property
    def ended(self) -> bool:
        """Whether nothing more is expected of the run."""
        return self.stage in (Stage.DELIVERED, Stage.STOPPED, Stage.FAILED)

    def payload(self) -> dict[str, object]:
        """Return every field as a JSON value: what the page says in its own words."""
        return {
            **asdict(replace(self, sent=(), notes=(), failure=None)),
            "stage": self.stage.value,
            "sent": [each.payload() for each in self.sent],
            "notes": [each.payload() for each in self.notes],
            "failure": self.failure.payload() if self.failure else None,
        }

    def headline(self) -> str:
        """Return the state in one English line."""
        seconds = say("state.seconds", seconds=int(self.seconds))
        match self.stage:
            case Stage.RUNNING if self.items:
                told = say("state.items", done=self.items.done, total=self.items.total)
                return ", ".join(filter(None, [told, money(self.cost) if self.cost else ""]))
            case Stage.QUEUED if self.position is not None:
                return f"{say('state.queuedAt', position=self.position)}, {seconds}"
            case Stage.QUEUED | Stage.RUNNING:
                return f"{say(f'state.{self.stage.value}')}, {seconds}"
            case Stage.DOWNLOADING:
                return say("state.downloading", done=self.done, total=self.total)
            case Stage.DELIVERED:
                timed = self.seconds and not self.items
                taken = [] if self.kept else [seconds if timed else "", money(self.cost)]
                return ", ".join(
                    filter(None, [say(_DELIVERED.get(self.medium, "state.delivered"), count=self.total), *taken])
                )
        return say(f"state.{self.stage.value}")

    def details(self) -> list[str]:
        """Return what is said beside the state, in English, a line each."""
        kept = [note("state.kept")] if self.kept else []
        return [str(each) for each in (*kept, *self.notes, *self.sent)]

    def text(self) -> str:
        """Return everything that is known, in English, a line each."""
        lines = [self.headline(), *self.details()]
        if self.failure:
            lines.append(self.failure.receipt())
        elif self.request_id:
            lines.append(say("state.requestId", request_id=self.request_id))
        return "\n".join(lines)


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
