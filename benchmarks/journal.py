"""The journal with 100,000 jobs: claims and look-ups."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from nodes.core.store import history
from nodes.core.store.history import Wanted
from nodes.core.store.job import Claimed, JobInputs, NewJob
from nodes.core.store.journal import FILE_NAME, Journal
from nodes.core.store.spending import spent

from .measuring import seconds
from .table import Row

JOBS = 100_000
TARGET = 0.005
# What a person waits for, and not a run.
PAGE_TARGET = 0.2
PROMPT = "A quiet harbour at night, in the soft light of a few lanterns, long exposure, after the rain. " * 3
_KINDS = 20
_OF_RUNS = (
    "claim",
    "claim of a known job",
    "look-up by request id",
    "durations of a kind",
    "spending of the day",
    "newest 50",
)


def rows(quick: bool) -> list[Row]:
    """Return a row for each operation, the same one on an empty journal as its floor."""
    times = 20 if quick else 200
    with tempfile.TemporaryDirectory() as full, tempfile.TemporaryDirectory() as empty:
        Journal(Path(full)).close()
        _fill(Path(full, FILE_NAME))
        opening = median(seconds(lambda: Journal(Path(full)).close()) for _ in range(5))
        ours, floor = _measure(Path(full), Path(empty), times)
    made = [
        Row(
            f"journal: {name}, {JOBS:,} jobs",
            "real",
            "ms",
            ours[name] * 1000,
            floor[name] * 1000,
            None,
            f"< {_target(name) * 1000:.0f} ms",
            ours[name] < _target(name),
            "floor: an empty journal",
        )
        for name in ours
    ]
    note = "once a process, on the first run, in a thread; checks the whole file"
    return [*made, Row(f"journal: opening, {JOBS:,} jobs", "real", "ms", opening * 1000, beside=note)]


def _target(name: str) -> float:
    return TARGET if name in _OF_RUNS else PAGE_TARGET


def _measure(full: Path, empty: Path, times: int) -> tuple[dict[str, float], dict[str, float]]:
    journals = [Journal(full), Journal(empty)]
    operations = [{**_operations(journal), **_pages(journal)} for journal in journals]
    measured = []
    for _ in range(times):
        measured.append([{name: seconds(call) for name, call in one.items()} for one in operations])
    for journal in journals:
        journal.close()
    ours, floor = (
        {name: median(turn[place][name] for turn in measured) for name in operations[place]} for place in (0, 1)
    )
    return ours, floor


def _operations(journal: Journal) -> dict[str, Callable[[], object]]:
    numbers = count()
    account = journal.account("token", "https://example.com")

    inputs = JobInputs(PROMPT, 7, {"prompt": PROMPT, "seed": 7, "resolution": "1K", "num_images": 1})

    def claim() -> Claimed:
        new_job = NewJob(journal.fingerprint(account, next(numbers)), account, "model 1", "1K", 1, inputs=inputs)
        claimed = journal.claim(new_job)
        assert isinstance(claimed, Claimed)
        return claimed

    return {
        "claim": claim,
        "claim of a known job": lambda: journal.claim(NewJob(f"{JOBS // 2:064}", account, "model 1")),
        "look-up by request id": lambda: journal.find(f"request-{JOBS // 2}"),
        "durations of a kind": lambda: journal.durations("model 1", "1K", 1),
        "spending of the day": journal.spent_today,
        "newest 50": journal.recent,
    }


def _pages(journal: Journal) -> dict[str, Callable[[], object]]:
    """What the page asks for: 100 jobs at a time."""

    def page(**wanted: Any) -> Callable[[], object]:
        return lambda: journal.read(lambda db, owner: history.page(db, owner, Wanted(**wanted), 101))

    return {
        "page, the newest": page(),
        "page, from the middle": page(before=JOBS // 2),
        "page, of a model": page(model_id="model 3"),
        "page, of a state that is rare": page(state="unknown"),
        "page, of a day": page(since=1.6e9 + 3e6, until=1.6e9 + 3e6 + 86_400),
        "page, a word of many": page(search="night"),
        "page, a word of none": page(search="zebra"),
        "page, what needs a person": page(in_need=True),
        "how many need a person": lambda: journal.read(history.count_in_need),
        "the models": lambda: journal.read(lambda db, _: history.models(db)),
        "spending of 31 days": lambda: _spent(journal),
        "one job": lambda: journal.read(lambda db, owner: history.entry(db, owner, JOBS // 2)),
    }


def _spent(journal: Journal) -> None:
    since = 1.6e9 + (JOBS * 300) - 31 * 86_400
    journal.read(lambda db, _: (spent(db, "day", since), spent(db, "model", since)))


def _fill(path: Path) -> None:
    """Write delivered jobs straight into the file, as a year of heavy use would."""
    rows = (
        (f"{job:064}", f"model {job % _KINDS}", "1K", f"request-{job}", 1.6e9 + job * 300, 20 + job % 7)
        for job in range(JOBS)
    )
    with sqlite3.connect(path) as db:
        db.executemany(
            "INSERT INTO jobs (fingerprint, account, model_id, variant, size, count, state, owner, request_id, "
            "created_at, duration, cost, files) "
            "VALUES (?, 'account', ?, '', ?, 1, 'delivered', 'owner', ?, ?, ?, 0.1, "
            "'[\"https://example.com/a-file-of-a-usual-length-of-address/0123456789abcdef.png\"]')",
            rows,
        )
        db.execute("UPDATE jobs SET state = 'unknown' WHERE id % 1000 = 0")
        db.execute(
            "INSERT INTO inputs (job_id, prompt, folded, seed, scalars, media) "
            "SELECT id, id || ' ' || :prompt, LOWER(id || ' ' || :prompt), '7', :scalars, '[]' FROM jobs",
            {"prompt": PROMPT, "scalars": json.dumps({"prompt": PROMPT, "seed": 7, "resolution": "1K"})},
        )
    db.close()
