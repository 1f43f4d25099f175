"""What must hold after every history, checked against the provider's own books."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from nodes.core.errors import Charge

from .world.drawing import pixels
from .world.network import CANCEL, FILE, RESULT, STATUS, SUBMIT
from .world.process import Prompt, Run, outcome
from .world.provider import Job
from .world.scheduler import Stuck
from .world.world import World

STOP_SECONDS = 0.5
CALLS = 20
LONGEST_BACKOFF = 25.0
KNOWN_SECONDS = 0.5
UNDER_WAY_SECONDS = 1800.0
CENT_OF_A_CENT = 1e-4


@dataclass(frozen=True)
class Violation:
    """One broken promise."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class Record:
    """A history that has been played."""

    world: World
    prompts: Sequence[Prompt]
    stuck: Stuck | None = None

    def __post_init__(self) -> None:
        self.jobs = list(self.world.provider.jobs.values())
        self.runs = self.world.runs
        self.rows = self.world.journal()

    def is_known(self, job: Job) -> bool:
        """Whether the journal names a job as one of its inputs: then what was told of a lost answer is of another.

        One that was only collected, by its id, belongs to no process.
        """
        return any(row["request_id"] == job.request_id and row["owner"] for row in self.rows)

    def was_delivered(self, job: Job, moment: float) -> bool:
        """Whether a run has delivered a job before a moment, with its own account's token or as a kept copy."""
        told = ((run, run.delivery) for run in self.runs if run.delivery is not None)
        return any(one.request_id == job.request_id and _end(run) <= moment for run, one in told)

    def was_kept(self, job: Job, run: Run) -> bool:
        """Whether a run was handed kept copies that a run of the job's own account had brought before its end."""
        kept = run.delivery is not None and run.delivery.progress.kept
        return kept and any(
            call.op == RESULT and call.job is job and call.token in job.account.tokens and call.answered
            and job.ends <= call.at <= _end(run)
            for call in self.world.network.calls
        )  # fmt: skip

    def told_cost(self, job: Job, moment: float) -> bool:
        """Whether a job that costs something has told so before a moment."""
        return job.cost > 0 and any(
            call.job is job and call.op in (STATUS, RESULT) and call.answered and call.costs and call.at < moment
            for call in self.world.network.calls
        )

    def is_under_way(self, job: Job, moment: float) -> bool:
        """Whether a job that the journal knows was at work, so that its cost was worth waiting for."""
        works = job.accepted + KNOWN_SECONDS < moment < min(job.ends, job.accepted + UNDER_WAY_SECONDS)
        return works and job.cancelled is None and self.is_known(job)

    def waits(self, run: Run, request_id: str, moment: float) -> bool:
        """Whether a run has waited for a job for long enough to be known to others."""
        asked = [
            call.at for call in self.world.network.calls
            if call.run is run and call.op == STATUS and call.request_id == request_id and call.status == 200
        ]  # fmt: skip
        return bool(asked) and asked[0] + KNOWN_SECONDS < moment < _end(run)

    def is_known_to_cost(self, job: Job, moment: float) -> bool:
        """Whether a run that went on to its end was told before a moment that a job has images, or a cost."""
        costs = job.images > 0 or job.fate.kind in ("blocked", "fails_charged")
        return costs and any(
            call.job is job and call.op in (STATUS, RESULT) and call.answered and call.status == 200
            and job.ends <= call.at <= moment and isinstance(call.run, Run) and call.run.ended is not None
            for call in self.world.network.calls
        )  # fmt: skip

    def permissions_of(self, job: Job) -> list[float]:
        """Return when a person allowed another job in place of one of the same take."""
        jobs = self.world.provider.jobs
        return [at for name, at in self.world.permissions if name in jobs and take_of(jobs[name]) == take_of(job)]

    def is_allowed(self, earlier: Job, later: Job) -> bool:
        """Whether a permission led from one job to the other: it ends where the first is delivered after all."""
        assert isinstance(later.run, Run)
        began = later.run.began
        delivered = [
            _end(run) for run in self.runs
            if run.delivery and run.delivery.request_id == earlier.request_id and not run.delivery.missing
        ]  # fmt: skip
        allowed = [at for at in self.permissions_of(earlier) if earlier.posted <= at <= later.posted]
        return any(not any(at < end < began for end in delivered) for at in allowed)

    def runs_of(self, job: Job) -> list[Run]:
        """Return the runs of the same inputs, whoever's token they were made with: one computer, one record."""
        inputs = take_of(job)[1:]
        return [run for run in self.runs if run.take is not None and run.take.key[1:] == inputs]


def take_of(job: Job) -> tuple[object, ...]:
    """Return the key of the take that a job was posted for."""
    run = job.run
    return run.take.key if isinstance(run, Run) and run.take is not None else ("nobody", job.request_id)


def check(record: Record) -> list[Violation]:
    """Return what does not hold."""
    return [violation for rule in RULES for violation in rule(record)]


def ends(record: Record) -> Iterator[Violation]:
    """Everything ends, and nothing but receipts comes out of the pack."""
    if record.stuck is not None:
        yield Violation("stuck", str(record.stuck))
    for name, error in record.world.scheduler.crashes:
        yield Violation("crash", f"{name}: {type(error).__name__}: {error}")
    for run in record.runs:
        if run.broken is not None:
            yield Violation("crash", f"run {run.number}: {type(run.broken).__name__}: {run.broken}")


def one_bill(record: Record) -> Iterator[Violation]:
    """Each take is billed once, unless a person was told of an unknown outcome, or of a dead job, and ran again."""
    by_take: defaultdict[tuple[object, ...], list[Job]] = defaultdict(list)
    for job in sorted(record.jobs, key=lambda job: job.posted):
        by_take[take_of(job)].append(job)
    for jobs in by_take.values():
        for place, later in enumerate(jobs):
            for earlier in jobs[:place]:
                if earlier.billed and later.billed and not _may_follow(record, earlier, later):
                    yield Violation("billed twice", f"{earlier.request_id} and {later.request_id} are one take")


def _may_follow(record: Record, earlier: Job, later: Job) -> bool:
    assert isinstance(later.run, Run)
    runs = record.runs_of(earlier)
    told = any(is_lost(run) and earlier.posted <= _end(run) <= later.run.began for run in runs)
    if told and not record.is_known(earlier):
        return True
    if record.is_allowed(earlier, later):
        return True
    if earlier.deliverable(later.posted):
        return False
    if record.is_known_to_cost(earlier, later.posted):
        return False
    return any(_names(run, earlier) and _end(run) <= later.posted for run in record.runs)


def is_lost(run: Run) -> bool:
    """Whether a run's receipt told that its job may have been accepted, and nobody knows which it is."""
    return run.error is not None and run.receipt.charge is Charge.UNKNOWN and not run.receipt.request_id


def _names(run: Run, job: Job) -> bool:
    return run.error is not None and run.receipt.request_id == job.request_id


def _end(run: Run) -> float:
    return float("inf") if run.ended is None else run.ended


def nothing_lost(record: Record) -> Iterator[Violation]:
    """Every billed job is delivered in the end, or its person was told why it cannot be."""
    delivered = {run.delivery.request_id for run in record.runs if run.delivery is not None}
    for job in record.jobs:
        if not job.billed or job.request_id in delivered:
            continue
        runs = record.runs_of(job)
        if any(is_lost(run) and _end(run) >= job.posted and run.ended is not None for run in runs):
            continue
        if any(at >= job.posted for at in record.permissions_of(job)):
            continue
        if not job.deliverable(record.world.scheduler.now) and any(_names(run, job) for run in record.runs):
            continue
        yield Violation("lost", f"{job.request_id} is billed, and neither delivered nor told")


def all_deliver(record: Record) -> Iterator[Violation]:
    """With everything mended, each take delivers every whole file, unless its job is one that nobody can read."""
    settled = record.world.settled_from
    last: dict[tuple[object, ...], Run] = {}
    for run in record.runs:
        if run.take is not None and settled is not None and run.number >= settled and run.ended is not None:
            last[run.take.key] = run
    for key, run in last.items():
        if run.delivery is not None:
            job = record.world.provider.jobs.get(run.delivery.request_id)
            gone = job is not None and job.files_are_gone(run.began)
            if job is not None and not gone and not all(job.broken(index) for index in missing_of(run)):
                yield Violation("not delivered", f"in the end, run {run.number} lacks files of {job.request_id}")
        elif not run.interrupted:
            unread = [job for job in record.jobs if take_of(job) == key and job.is_unreadable]
            if not any(_names(run, job) for job in unread):
                yield Violation("not delivered", f"in the end, run {run.number}: {outcome(run)}")


def own_images(record: Record) -> Iterator[Violation]:
    """What is delivered is the job's own, whole and in order, and the job is the take's.

    What was delivered here is on this computer already: it is handed out whoever's token is used.
    """
    for run in record.runs:
        if run.delivery is None:
            continue
        job = record.world.provider.jobs.get(run.delivery.request_id)
        if job is None:
            yield Violation("wrong images", f"run {run.number}: there is no {run.delivery.request_id}")
        elif run.take is not None and take_of(job)[1:] != run.take.key[1:]:
            yield Violation("wrong images", f"run {run.number} was handed {job.request_id}, another take")
        elif run.request_id is not None and run.request_id != job.request_id:
            yield Violation("wrong images", f"run {run.number} was handed {job.request_id}")
        elif run.token not in job.account.tokens and not (
            record.was_delivered(job, run.began) or record.was_kept(job, run)
        ):
            yield Violation("wrong images", f"run {run.number} was handed {job.request_id}, of another account")
        elif run.images != images_of(job, missing_of(run)):
            yield Violation("wrong images", f"run {run.number}: those of {job.request_id} are not its own")
        elif run.delivery.missing != len(missing_of(run)) or not run.images:
            yield Violation("wrong images", f"run {run.number} lacks {run.delivery.missing}, and names others")
        else:
            yield from _missed(record, run, job)


def missing_of(run: Run) -> set[int]:
    """Return the files that a delivery names as missing, counted from 0."""
    notes = run.delivery.progress.notes if run.delivery else ()
    return {int(str(note.params["number"])) - 1 for note in notes if note.kind == "note.file_missing"}


def _missed(record: Record, run: Run, job: Job) -> Iterator[Violation]:
    """A file that arrived whole is not named as missing."""
    for call in record.world.network.calls:
        whole = call.answered and call.status in (200, 206) and (not call.trouble or call.trouble.kind == "late")
        if call.op == FILE and call.run is run and call.request_id == job.request_id and whole:
            index = int(call.url.rpartition("/")[2].partition(".")[0])
            if index in missing_of(run) and not job.broken(index):
                yield Violation("wrong images", f"run {run.number} names file {index} as missing, and it came")


def images_of(job: Job, missing: Collection[int] = ()) -> list[list[bytes]]:
    """Return the pixels of a job's files, without some, in batches: one for each size, in order of appearance."""
    batches: dict[tuple[int, ...], list[bytes]] = {}
    for index in range(job.images):
        if index not in missing:
            image = pixels(f"{job.request_id}/{index}", index if job.fate.kind == "sizes" else 0)
            batches.setdefault(image.shape, []).append(repr(image.shape).encode() + image.tobytes())
    return list(batches.values())


def true_words(record: Record) -> Iterator[Violation]:
    """What a person or the journal is told of a charge is so in the books."""
    jobs = record.world.provider.jobs
    for run in record.runs:
        if run.error is not None:
            yield from _true_receipt(record, run)
        if run.delivery is not None and run.delivery.request_id in jobs:
            told = run.delivery.progress.cost
            if told is not None and abs(told - jobs[run.delivery.request_id].cost) > CENT_OF_A_CENT:
                yield Violation("untrue", f"run {run.number} tells a cost of {told}")
        for request_id, words in run.claims:
            if "not charged" in words and request_id in jobs and jobs[request_id].cancelled is None:
                yield Violation("untrue", f"run {run.number}: {request_id}: {words}")


def _true_receipt(record: Record, run: Run) -> Iterator[Violation]:
    error = run.receipt
    named = error.request_id
    about = [job for job in record.jobs if job.request_id == named or (not named and job.run is run)]
    billed = [job.request_id for job in about if job.billed]
    if error.charge is Charge.NO and billed:
        yield Violation("untrue", f"run {run.number} tells no charge, and {billed[0]} is billed: {outcome(run)}")
    if error.charge is Charge.YES and not billed:
        yield Violation("untrue", f"run {run.number} tells a charge, and nothing is billed: {outcome(run)}")
    if error.cost is not None and all(abs(error.cost - job.cost) > CENT_OF_A_CENT for job in about):
        yield Violation("untrue", f"run {run.number} tells a cost of {error.cost}: {outcome(run)}")


def true_journal(record: Record) -> Iterator[Violation]:
    """The journal's states and costs agree with the books, and nothing is left claimed by the dead."""
    jobs = record.world.provider.jobs
    for row in record.rows:
        job = jobs.get(row["request_id"] or "")
        if row["state"] in ("preparing", "submitting"):
            yield Violation("claimed by the dead", f"row {row['id']} is left {row['state']}")
        if job is None:
            if row["request_id"] and row["state"] == "submitted":
                yield Violation("untrue journal", f"row {row['id']} holds {row['request_id']}, which is not there")
            continue
        if row["state"] == "cancelled" and job.cancelled is None:
            yield Violation("untrue journal", f"{job.request_id} is cancelled, and not in the books")
        if row["state"] == "refused" and job.billed:
            yield Violation("untrue journal", f"{job.request_id} is refused, and billed in the books")
        if row["cost"] is not None and abs(row["cost"] - job.cost) > CENT_OF_A_CENT:
            yield Violation("untrue journal", f"{job.request_id} costs {row['cost']}, in the books {job.cost}")


def within_budget(record: Record) -> Iterator[Violation]:
    """No day's bills pass the budget, but by the jobs whose price was not known."""
    budget = record.world.plan.budget
    if budget is None:
        return
    created = {row["request_id"]: row["created_at"] for row in record.rows}
    days: defaultdict[str, float] = defaultdict(float)
    unknown: defaultdict[str, float] = defaultdict(float)
    for job in record.jobs:
        if job.billed and record.world.settled_at is not None and job.accepted <= record.world.settled_at:
            day = time.strftime("%d.%m.", time.localtime(created.get(job.request_id, job.wall)))
            days[day] += job.cost
            unknown[day] += _unknown_price(record, job)
    for day, spent in days.items():
        if spent > budget + unknown[day] + CENT_OF_A_CENT:
            yield Violation("over budget", f"{spent:.2f} of {budget:.2f} were spent on {day}")


def _unknown_price(record: Record, job: Job) -> float:
    """A job may cost more than was known where nobody could know: no job of its kind had told a cost by then.

    Such jobs are made one after the other.
    """
    alike = [one for one in record.jobs if one is not job and _kind(one) == _kind(job) and one.posted <= job.posted]
    if any(record.told_cost(one, job.posted) for one in alike):
        return 0.0
    if not record.world.clock_offset and any(record.is_under_way(one, job.posted) for one in alike):
        return 0.0
    return job.cost


def _kind(job: Job) -> tuple[object, ...]:
    return (job.model_id, job.body.get("resolution"))


def true_spending(record: Record) -> Iterator[Violation]:
    """What was spent today, as the pack tells it, is what its jobs cost, and an estimate where none was told."""
    world = record.world
    if world.spent_today is None:
        return
    spent, wall = world.spent_today
    now = time.localtime(wall)
    midnight = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
    least = most = 0.0
    for row in record.rows:
        if row["created_at"] >= midnight and row["owner"]:
            low, high = _worth(row["cost"], row["estimate"] or 0.0, row["state"])
            least, most = least + low, most + high
    if not least - CENT_OF_A_CENT <= spent <= most + CENT_OF_A_CENT:
        yield Violation("untrue spending", f"{spent:.4f} are told; it is {least:.4f} to {most:.4f}")


def _worth(cost: float | None, estimate: float, state: str) -> tuple[float, float]:
    if cost is not None:
        return cost, cost
    if state in ("cancelled", "refused"):
        return 0.0, 0.0
    return (0.0, estimate) if state in ("failed", "preparing") else (estimate, estimate)


def stops_in_time(record: Record) -> Iterator[Violation]:
    """Stop ends a prompt within its bound."""
    for prompt in record.prompts:
        if prompt.stopped_at is not None and prompt.ended is not None:
            seconds = prompt.ended - prompt.stopped_at
            if seconds > STOP_SECONDS:
                runs = ", ".join(str(run.number) for run in prompt.runs)
                yield Violation("late stop", f"Stop took {seconds:.1f} s for the runs {runs}")


def few_calls(record: Record) -> Iterator[Violation]:
    """A job is asked for its state by the time t at most max(20, t/2) times; answers that failed do not count."""
    asked: defaultdict[tuple[Run, str], list[float]] = defaultdict(list)
    for call in record.world.network.calls:
        if call.op == STATUS and call.answered and not call.trouble and isinstance(call.run, Run):
            asked[call.run, call.request_id].append(call.at)
    for (run, request_id), times in asked.items():
        job = record.world.provider.jobs.get(request_id)
        for count, at in enumerate(times, 1):
            seconds = at - min(run.began, job.posted if job else run.began)
            # Whose job it is, is asked once, where another token made it.
            if count > max(CALLS + (job is not None and job.run is not run), seconds / 2 + 1):
                yield Violation("too many calls", f"run {run.number}: {count} for {request_id} in {seconds:.0f} s")
                break


def no_token(record: Record) -> Iterator[Violation]:
    """No token is in anything that was written or shown, nor was it sent for a file."""
    world = record.world
    tokens = [token for account in world.provider.accounts for token in account.tokens]
    shown = [text for run in record.runs for text in (*run.shown, str(run.error or ""))]
    shown += [log.getMessage() for _, log in world.logged]
    for token in tokens:
        for text in shown:
            if token in text:
                yield Violation("token shown", text)
        for file in world.disk.folder.rglob("*"):
            if file.is_file() and file.name != "token.json" and token.encode() in file.read_bytes():
                yield Violation("token written", str(file.relative_to(world.disk.folder)))
    for call in world.network.calls:
        if call.op == FILE and call.token:
            yield Violation("token sent", call.url)


def collects_only(record: Record) -> Iterator[Violation]:
    """A run that collects submits nothing; and a log never says that nothing was spent where something was."""
    for call in record.world.network.calls:
        if call.op == SUBMIT and isinstance(call.run, Run) and call.run.take is None:
            yield Violation("submitted", f"run {call.run.number} collects, and submitted")
    for _, log in record.world.logged:
        if "nothing is spent" in log.getMessage():
            yield Violation("untrue log", log.getMessage())


def cancels_alone(record: Record) -> Iterator[Violation]:
    """A job is cancelled only when nobody waits for it, as far as the record can be read."""
    if any(fault.at == "disk" for fault in record.world.plan.faults):
        return
    stopped = {run: prompt.stopped_at for prompt in record.prompts for run in prompt.runs}
    for call in record.world.network.calls:
        job = record.world.provider.jobs.get(call.request_id)
        if call.op == CANCEL and job is not None and (job.cancelled is None or job.cancelled >= call.at):
            for run in record.runs:
                waits = record.waits(run, call.request_id, call.at) and run.delivery is not None
                if waits and run is not call.run and stopped.get(run) is None:
                    yield Violation("cancelled for others", f"{call.request_id}, which run {run.number} waits for")


def ids_are_kept(record: Record) -> Iterator[Violation]:
    """An id that arrived is recorded, whatever stands beside it."""
    for call in record.world.network.calls:
        beside = call.trouble is not None and call.trouble.kind in ("code_beside_id", "error_beside_id")
        if not (beside and call.answered and call.job and isinstance(call.run, Run)):
            continue
        if call.run.ended is not None and is_lost(call.run):
            yield Violation("id thrown away", f"{call.job.request_id} was in the answer: {outcome(call.run)}")


def waits_as_told(record: Record) -> Iterator[Violation]:
    """What is not a number of seconds nor a date is not waited for."""
    calls = record.world.network.calls
    # What another call of the account was told holds for all of them.
    told = max((fault.value for fault in record.world.plan.faults if fault.kind == "busy"), default=0.0)
    for place, call in enumerate(calls):
        if call.trouble and call.trouble.kind == "retry_after_inf":
            again = next((one for one in calls[place + 1 :] if one.run is call.run and one.op == call.op), None)
            if again is not None and again.at - call.at > LONGEST_BACKOFF + told:
                yield Violation("waits in vain", f"{again.at - call.at:.0f} s after Retry-After: inf")


RULES: tuple[Callable[[Record], Iterator[Violation]], ...] = (
    ends, one_bill, nothing_lost, all_deliver, own_images, true_words, true_journal, within_budget, true_spending,
    stops_in_time, few_calls, no_token, collects_only, cancels_alone, ids_are_kept, waits_as_told,
)  # fmt: skip
