"""The items of a list as one: their state and their receipt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ..errors import Charge, PackError, step
from ..texts import Note, note
from .progress import Items, Progress, Stage

MOST_NOTES = 20


@dataclass
class ItemState:
    """How far one item of a list is. ``told`` is what a person knows it by: the start of its prompt."""

    told: str
    progress: Progress = field(default_factory=lambda: Progress(Stage.PREPARING))
    error: PackError | None = None
    delivered: bool = False

    @property
    def under_way(self) -> bool:
        """Whether a job of the API stands for it."""
        return self.progress.stage is not Stage.PREPARING

    @property
    def left(self) -> str | None:
        """The job that goes on where the run ends now."""
        ended = self.delivered or self.error or note("cancel.cancelled") in self.progress.notes
        return None if ended else self.progress.request_id

    @property
    def request_id(self) -> str | None:
        """The job that stands for it."""
        return self.error.failure.request_id if self.error else self.progress.request_id

    @property
    def cost(self) -> float | None:
        """What it cost in this run, in USD; None where that is not known, or not yet."""
        if self.error:
            return self.error.failure.cost if self.under_way else 0.0
        if not self.delivered:
            return 0.0
        return 0.0 if self.progress.kept else self.progress.cost


def together(items: Sequence[ItemState], stage: Stage) -> Progress:
    """Return the state of a list. The cost is that of the items that have ended; each job counts once."""
    ended = [item for item in items if item.delivered or item.error]
    delivered = [item.progress for item in items if item.delivered]
    receipt = receipt_of(items)
    return Progress(
        stage,
        seconds=max(item.progress.seconds for item in items),
        fraction=_fraction(items),
        done=sum(each.total for each in delivered),
        total=sum(each.total for each in delivered),
        cost=_cost(items),
        kept=bool(delivered) and all(each.kept for each in delivered),
        medium=next((each.medium for each in delivered), ""),
        sent=next((item.progress.sent for item in items if item.progress.sent), ()),
        notes=_notes(items, delivered),
        failure=receipt.failure if receipt else None,
        # Items of the same inputs share a job.
        items=Items(len(ended), len(items), tuple(dict.fromkeys(item.left for item in items if item.left))),
    )


def receipt_of(items: Sequence[ItemState]) -> PackError | None:
    """Return what is told of the items that failed; None where none did."""
    failed = {number: item for number, item in enumerate(items, 1) if item.error}
    if not failed:
        return None
    delivered = sum(item.delivered for item in items)
    cost, errors = _cost(items), [item.error for item in items if item.error]
    steps = chain([step("run_list_again")], chain.from_iterable(error.failure.next for error in errors))
    return (
        PackError(
            "items_failed",
            failed=len(failed),
            total=len(items),
            delivered=delivered,
            unsent=len(items) - len(failed) - delivered,
            charge=_charge(items, cost, errors),
            cost=cost or None,
            next=_different(steps),
        )
        .but(items=tuple(_told(number, item.told, item.error) for number, item in failed.items() if item.error))
        .once_told(*(error.was_told for error in errors))
    )


def _told(number: int, prompt: str, error: PackError) -> Note:
    failure = error.failure
    reason = {"reason": note("receipt.reason", reason=failure.reason)} if failure.reason else {}
    kind = "item.failed_with_reason" if reason else "item.failed"
    return note(kind, number=number, prompt=prompt, cause=failure.note, charge=failure.charged, **reason)


def _charge(items: Sequence[ItemState], cost: float, errors: Sequence[PackError]) -> Charge:
    # What was delivered was paid for, also where the API has not told its cost.
    if cost or any(item.delivered and item.cost is None for item in items):
        return Charge.YES
    unknown = any(error.failure.charge is Charge.UNKNOWN for error in errors)
    return Charge.UNKNOWN if unknown else Charge.NO


def _cost(items: Sequence[ItemState]) -> float:
    """Return what is known of the cost of a list, in USD. Items of the same inputs share a job."""
    jobs: dict[str, float] = {}
    for item in items:
        if item.request_id:
            # One of them was handed what another one had paid for.
            jobs[item.request_id] = max(jobs.get(item.request_id, 0.0), item.cost or 0.0)
    return sum(jobs.values())


def _fraction(items: Sequence[ItemState]) -> float | None:
    known = [1.0 if item.delivered or item.error else item.progress.fraction for item in items]
    if all(each is None for each in known):
        return None
    return sum(each or 0.0 for each in known) / len(items)


def _notes(items: Sequence[ItemState], delivered: Sequence[Progress]) -> tuple[Note, ...]:
    """Return what is said of the items, each thing once."""
    kept = sum(each.kept for each in delivered)
    told = [note("note.items_kept", count=kept)] if 0 < kept < len(delivered) else []
    told += chain.from_iterable(item.progress.notes for item in items)
    return _different(told)[:MOST_NOTES]


def _different(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return the notes, each once."""
    found: list[Note] = []
    for each in notes:
        if each not in found:
            found.append(each)
    return tuple(found)
