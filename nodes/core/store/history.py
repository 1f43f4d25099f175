"""The record as a person looks through it: pages of jobs, what needs them, takes, and spending.

Everything is read within a journal's transaction, and only what is shown: the record may hold 100,000 jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal, TypeAlias

from .engines.engine import Lease, Session
from .inputs import seed_of
from .job import Job, JobState
from .rows import parse_job

Need: TypeAlias = Literal["collect", "permission", "look", ""]

# As the index of the same condition has it. Nothing has been sent of a job that is being prepared.
_IN_NEED = """(state IN ('submitting', 'lost', 'submitted', 'unknown')
        OR (state IN ('failed', 'expired') AND retry_allowed = 0 AND COALESCE(cost, has_result) > 0))"""
_SHOWN = "state <> 'preparing'"
# A job that still brings something is worth it even where the same inputs have been run again since.
_OPEN = """(state = 'submitted' OR NOT EXISTS (
        SELECT 1 FROM jobs AS later WHERE later.fingerprint = jobs.fingerprint AND later.id > jobs.id))"""
_JOBS = f"""SELECT jobs.*, inputs.prompt, inputs.seed, {_OPEN} AS open
        FROM jobs LEFT JOIN inputs ON inputs.job_id = jobs.id"""
MOST_PLACES = 1000


@dataclass(frozen=True)
class Entry:
    """A job as it is listed. ``live``: a living process works on it; ``need``: what it needs of a person."""

    job: Job
    prompt: str = ""
    seed: int | None = None
    live: bool = False
    need: Need = ""


@dataclass(frozen=True)
class Wanted:
    """Which jobs are asked for; '' and None leave a condition out.

    ``before`` is the id of a job: older ones follow, down to ``after``. Every word of ``search`` stands in the
    prompt, the model, the size or the request id. ``since`` and ``until`` are in seconds since the epoch.
    """

    before: int | None = None
    after: int | None = None
    search: str = ""
    model_id: str = ""
    state: JobState | Literal[""] = ""
    since: float | None = None
    until: float | None = None
    in_need: bool = False


@dataclass(frozen=True)
class Place:
    """The node that shows a job: its workflow, its id in that, and its class, as the host calls them.

    It shows the jobs of one prompt, which are several where it ran a list: one of ``items``.
    """

    workflow: str
    node: str
    node_type: str
    prompt_id: str
    items: int = 1


def page(db: Session, owner: Lease, wanted: Wanted, limit: int) -> list[Entry]:
    """Return the newest jobs that are asked for, the newest first."""
    found: list[Entry] = []
    query, values = _query(wanted)
    if not wanted.in_need:
        query, values = f"{query} LIMIT :limit", {**values, "limit": limit}
    for entry in _entries(db, owner, query, values):
        if entry.need or not wanted.in_need:
            found.append(entry)
        if len(found) >= limit:
            break
    return found


def newest(db: Session) -> int:
    """Return the id of the newest job; 0 where there is none."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM jobs").fetchone()[0])


def entry(db: Session, owner: Lease, job_id: int) -> Entry | None:
    """Return the job with this id."""
    return next(_entries(db, owner, f"{_JOBS} WHERE jobs.id = :id", {"id": job_id}), None)


def count_in_need(db: Session, owner: Lease) -> int:
    """Return how many jobs need a person."""
    return sum(1 for one in _entries(db, owner, *_query(Wanted(in_need=True))) if one.need)


def takes(db: Session, owner: Lease, take: str, limit: int) -> list[Entry]:
    """Return the newest delivered jobs of one ``take``, the newest first."""
    query = f"{_JOBS} WHERE take = :take AND take <> '' AND state = 'delivered' ORDER BY jobs.id DESC LIMIT :limit"
    return list(_entries(db, owner, query, {"take": take, "limit": limit}))


def take_of(db: Session, job_id: int) -> str:
    """Return what the takes of a job have in common; '' where that is not known."""
    row = db.execute("SELECT take FROM jobs WHERE id = :id", {"id": job_id}).fetchone()
    return "" if row is None else str(row[0])


def keep_place(db: Session, place: Place, request_id: str) -> None:
    """Note where a job is shown, beside others of the same prompt, and in the place of those of another one."""
    db.execute(
        "DELETE FROM places WHERE workflow = ? AND node = ? AND (prompt_id <> ? OR request_id = ?)",
        (place.workflow, place.node, place.prompt_id, request_id),
    )
    db.insert("places", {**asdict(place), "request_id": request_id})
    db.execute("DELETE FROM places WHERE id <= (SELECT MAX(id) FROM places) - ?", (MOST_PLACES,))


def left_behind(db: Session, owner: Lease) -> dict[Place, list[Entry]]:
    """Return the jobs that nobody waits for any more, by the node that showed them."""
    found: dict[Place, list[Entry]] = {}
    columns = "workflow, node, node_type, prompt_id, items, request_id"
    for *where, request_id in db.execute(f"SELECT {columns} FROM places ORDER BY id").fetchall():
        query = f"{_JOBS} WHERE jobs.request_id = :request_id ORDER BY jobs.id DESC LIMIT 1"
        for entry in _entries(db, owner, query, {"request_id": request_id}):
            if entry.need == "collect":
                found.setdefault(Place(*where), []).append(entry)
    return found


def models(db: Session) -> list[str]:
    """Return the ids of the models that there are jobs of, in the alphabet's order."""
    # From one to the next by the index: not past every job.
    rows = db.execute(
        f"WITH RECURSIVE found(id) AS (SELECT MIN(model_id) FROM jobs WHERE {_SHOWN} UNION ALL "
        f"SELECT (SELECT MIN(model_id) FROM jobs WHERE {_SHOWN} AND model_id > found.id) FROM found "
        "WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id <> ''"
    )
    return [str(row[0]) for row in rows]


def is_live(db: Session, owner: Lease, job: Job) -> bool:
    """Whether a living process works on a job or waits for it."""
    return _is_live(db, owner.is_alive, job)


def _query(wanted: Wanted) -> tuple[str, dict[str, object]]:
    words = wanted.search.casefold().split()
    conditions = {
        "before": ("jobs.id < :before", wanted.before),
        "after": ("jobs.id >= :after", wanted.after),
        "model": ("model_id = :model", wanted.model_id or None),
        "state": ("state = :state", wanted.state or None),
        "since": ("created_at >= :since", wanted.since),
        "until": ("created_at < :until", wanted.until),
        **{f"word_{number}": (_holds(f":word_{number}"), word) for number, word in enumerate(words)},
    }
    given = {name: (condition, value) for name, (condition, value) in conditions.items() if value is not None}
    needs = [_IN_NEED, _OPEN] if wanted.in_need else []
    text = " AND ".join([_SHOWN, *needs, *(condition for condition, _ in given.values())])
    return f"{_JOBS} WHERE {text} ORDER BY jobs.id DESC", {name: value for name, (_, value) in given.items()}


def _holds(word: str) -> str:
    text = "LOWER(model_id || ' ' || size || ' ' || COALESCE(request_id, ''))"
    return f"(INSTR(folded, {word}) > 0 OR INSTR({text}, {word}) > 0)"


def _entries(db: Session, owner: Lease, query: str, values: dict[str, object]) -> Iterator[Entry]:
    is_alive = cache(owner.is_alive)
    for row in db.execute(query, values):
        job = parse_job(row)
        live = _is_live(db, is_alive, job)
        need = need_of(job) if row["open"] and not live else ""
        yield Entry(job, row["prompt"] or "", seed_of(row["seed"]), live, need)


def need_of(job: Job) -> Need:
    """Return what a job needs of a person, where no process works on it."""
    match job.state:
        case "submitted":
            return "collect"
        case "submitting" | "lost" | "unknown":
            return "look"
    return "permission" if job.ended_paid and not job.retry_allowed else ""


def _is_live(db: Session, is_alive: Callable[[str], bool], job: Job) -> bool:
    match job.state:
        case "preparing" | "submitting":
            return is_alive(job.owner)
        case "submitted":
            waiting = db.execute("SELECT DISTINCT owner FROM waiters WHERE job_id = :id", {"id": job.id}).fetchall()
            return any(is_alive(name) for (name,) in waiting)
    return False
