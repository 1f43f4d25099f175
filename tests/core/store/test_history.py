"""The record as a person looks through it: pages, filters, what needs somebody, inputs, takes, spending."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from journals import HOUR, NOON, WHY, Time, accepted, claimed, new_job, sql

from nodes.core.errors import PackError
from nodes.core.store import history, inputs
from nodes.core.store.budget import Budget
from nodes.core.store.history import Entry, Wanted
from nodes.core.store.job import Claimed, Job, JobInputs
from nodes.core.store.journal import FILE_NAME, Journal
from nodes.core.store.spending import Spent, spent

T = TypeVar("T")
FOX = JobInputs(
    "A RED Fox, лиса", 7, {"prompt": "A RED Fox, лиса", "seed": 7, "wide": True}, (("image_1", "ab" * 32),)
)


def page(journal: Journal, limit: int = 50, **wanted: Any) -> list[Entry]:
    return journal.read(lambda db, owner: history.page(db, owner, Wanted(**wanted), limit))


def ids(entries: list[Entry]) -> list[int]:
    return [entry.job.id for entry in entries]


def inputs_of(journal: Journal, job: Job) -> JobInputs | None:
    return journal.read(lambda db, _: inputs.of_job(db, job.id))


def delivered(journal: Journal, name: str, cost: float | None = 0.1, **more: Any) -> Job:
    job = accepted(journal, name, f"request-{name}", **more)
    return journal.mark_delivered(
        journal.mark_finished(replace(job, files=("https://a.example/1.png",), cost=cost))
    )


def test_inputs_are_kept_beside_the_job_and_go_with_it(journal: Journal) -> None:
    job = accepted(journal, inputs=FOX, kind="video", node_id="RunComfyFox")
    assert inputs_of(journal, job) == FOX
    (entry,) = page(journal)
    assert (entry.prompt, entry.seed, entry.job.kind, entry.job.node_id) == (FOX.prompt, 7, "video", "RunComfyFox")
    released = claimed(journal, "b", inputs=FOX)
    journal.release(released)
    assert inputs_of(journal, released) is None
    journal.mark_ended(job, "failed", WHY)
    journal.forget(job)
    assert sql(journal, "SELECT * FROM inputs") == [] and page(journal) == []


def test_without_inputs_nothing_is_kept(journal: Journal) -> None:
    job = accepted(journal)
    assert inputs_of(journal, job) is None
    assert [(entry.prompt, entry.seed) for entry in page(journal)] == [("", None)]


def test_a_seed_may_be_longer_than_a_number_of_the_file(journal: Journal) -> None:
    accepted(journal, inputs=JobInputs(seed=2**1000))
    assert page(journal)[0].seed == 2**1000


@pytest.mark.sqlite
def test_erased_inputs_are_not_in_any_file(journal: Journal) -> None:
    for number in range(50):
        accepted(journal, str(number), f"r{number}", inputs=JobInputs(f"a recognizable zebra {number} " * 40))

    def found() -> bool:
        files = journal.folder.glob(f"{FILE_NAME}*")
        return any(b"recognizable zebra" in file.read_bytes() for file in files)

    assert found()
    journal.forget_inputs()
    assert not found()
    assert {entry.prompt for entry in page(journal)} == {""}


def test_a_forgotten_job_leaves_nothing_but_its_cost(journal: Journal) -> None:
    job = delivered(journal, "recognizable-name", 0.25, inputs=FOX)
    journal.forget(job)
    assert all(b"recognizable-name" not in file.read_bytes() for file in journal.folder.glob(f"{FILE_NAME}*"))
    assert journal.spent_today() == 0.25
    assert journal.read(lambda db, _: spent(db, "model", 0)) == [Spent("vendor/model", 0.25, 1)]
    with pytest.raises(PackError, match="budget of"):
        journal.claim(new_job("b", 0.2), Budget(0.4))
    assert isinstance(journal.claim(new_job("recognizable-name"), None), Claimed)


def test_a_job_that_somebody_waits_for_is_not_forgotten(journal: Journal) -> None:
    job = accepted(journal)
    number = journal.wait_for(job)
    with pytest.raises(PackError, match="waits for it"):
        journal.forget(job)
    journal.stop_waiting(job, number)
    journal.forget(job)
    with pytest.raises(PackError, match="works on this job"):
        journal.forget(claimed(journal, "b"))


def test_pages_follow_one_another_by_the_last_id(journal: Journal) -> None:
    jobs = [delivered(journal, str(number)) for number in range(7)]
    claimed(journal, "nothing was sent of this one")
    first = page(journal, 3)
    assert ids(first) == [jobs[6].id, jobs[5].id, jobs[4].id]
    delivered(journal, "a newer one")
    assert ids(page(journal, 3, before=first[-1].job.id)) == [jobs[3].id, jobs[2].id, jobs[1].id]
    assert ids(page(journal, 3, before=jobs[1].id)) == [jobs[0].id]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("red fox", True),
        ("FOX red", True),
        ("ЛИСА", True),
        ("request-fox", True),
        ("vendor 1k", True),
        ("%", False),
        ("fox zebra", False),
        ("' OR 1=1 --", False),
        ("", True),
    ],
)
def test_every_word_that_is_searched_for_stands_somewhere(journal: Journal, search: str, found: bool) -> None:
    job = delivered(journal, "fox", inputs=FOX)
    assert ids(page(journal, search=search)) == ([job.id] if found else [])


def test_filters_by_model_state_and_day(journal: Journal, clock: Time) -> None:
    first = delivered(journal, "first")
    clock.now = NOON + 24 * HOUR
    second = delivered(journal, "second", model_id="vendor/other")
    third = journal.mark_ended(accepted(journal, "third", "r3"), "failed", WHY, 0.0)
    assert ids(page(journal, model_id="vendor/other")) == [second.id]
    assert ids(page(journal, state="failed")) == [third.id]
    assert ids(page(journal, since=NOON - HOUR, until=NOON + HOUR)) == [first.id]
    assert journal.read(lambda db, _: history.models(db)) == ["vendor/model", "vendor/other"]


def test_what_needs_a_person_is_counted_and_found_first(
    journal: Journal, open_journal: Callable[[], Journal]
) -> None:
    other = open_journal()
    uncollected, waited_for = accepted(journal, "a", "ra"), accepted(journal, "b", "rb")
    other.wait_for(waited_for)
    charged = journal.mark_ended(accepted(journal, "c", "rc"), "failed", WHY, 0.1)
    journal.mark_ended(accepted(journal, "d", "rd"), "failed", WHY, 0.0)
    lost = accepted_lost(journal, "e")
    delivered(journal, "f")
    expired = journal.mark_ended(delivered(journal, "g", None), "expired", WHY)
    needs = {uncollected.id: "collect", charged.id: "permission", lost.id: "look", expired.id: "permission"}
    assert {entry.job.id: entry.need for entry in page(journal, in_need=True)} == needs
    assert {entry.job.id: entry.need for entry in page(journal) if entry.need} == needs
    assert [entry.live for entry in page(journal) if entry.job.id == waited_for.id] == [True]
    assert journal.read(history.count_in_need) == 4
    journal.allow_retry("rc")
    assert journal.read(history.count_in_need) == 3
    other.close()
    assert [entry.need for entry in page(journal) if entry.job.id == waited_for.id] == ["collect"]


def test_a_lost_job_whose_inputs_were_run_again_needs_nobody(journal: Journal) -> None:
    journal.mark_reported(accepted_lost(journal, "a"))
    assert journal.read(history.count_in_need) == 1
    delivered(journal, "a")
    assert journal.read(history.count_in_need) == 0
    assert {entry.need for entry in page(journal)} == {""}


def test_takes_are_the_delivered_jobs_of_the_same_inputs_but_the_seed(journal: Journal) -> None:
    first, second = (delivered(journal, name, take="t") for name in ("a", "b"))
    accepted(journal, "c", "rc", take="t")
    delivered(journal, "d", take="u")
    delivered(journal, "e")
    take = journal.read(lambda db, _: history.take_of(db, first.id))
    assert ids(journal.read(lambda db, owner: history.takes(db, owner, take, 9))) == [second.id, first.id]
    assert journal.read(lambda db, owner: history.takes(db, owner, "", 9)) == []
    assert journal.read(lambda db, _: history.take_of(db, 999)) == ""


def test_spending_is_told_by_day_and_by_model(journal: Journal, clock: Time) -> None:
    delivered(journal, "a", 0.1)
    clock.now = NOON + 24 * HOUR
    delivered(journal, "b", 0.2, model_id="vendor/other")
    journal.mark_ended(accepted(journal, "c", "rc", reckoned=0.5), "cancelled", WHY)
    accepted(journal, "d", "rd", reckoned=0.05, size="2K")
    claimed(journal, "nothing was sent of this one", reckoned=9.0)
    days = journal.read(lambda db, _: spent(db, "day", 0))
    names = [time.strftime("%Y-%m-%d", time.localtime(moment)) for moment in (NOON, NOON + 24 * HOUR)]
    assert [(day.name, round(day.usd, 6), day.jobs) for day in days] == [(names[0], 0.1, 1), (names[1], 0.25, 2)]
    models = journal.read(lambda db, _: spent(db, "model", 0))
    assert [(one.name, round(one.usd, 6), one.jobs) for one in models] == [
        ("vendor/model", 0.15, 2),
        ("vendor/other", 0.2, 1),
    ]


@pytest.mark.sqlite
def test_pages_are_found_by_index(journal: Journal) -> None:
    asked: list[str] = []
    accepted(journal)

    def traced(db: sqlite3.Connection, owner: Any) -> None:
        db.execute.__self__.set_trace_callback(asked.append)
        for wanted in (Wanted(), Wanted(before=9), Wanted(model_id="m"), Wanted(in_need=True)):
            history.page(db, owner, wanted, 9)
        history.count_in_need(db, owner)
        history.models(db)
        history.takes(db, owner, "t", 9)
        spent(db, "day", NOON)
        db.execute.__self__.set_trace_callback(None)

    journal.read(traced)
    selects = [statement for statement in asked if re.match("SELECT|WITH", statement)]
    assert len(selects) >= 8
    for statement in selects:
        plan = [str(row[3]) for row in sql(journal, f"EXPLAIN QUERY PLAN {statement}")]
        assert not [one for one in plan if re.fullmatch("SCAN (TABLE )?(jobs|inputs|waiters)", one)] or (
            # The newest first, until a page is full.
            "ORDER BY jobs.id DESC" in statement and "in_need" not in statement
        ), (statement, plan)
        assert "TEMP B-TREE FOR ORDER BY" not in " ".join(plan) or "GROUP BY" in statement, plan


def accepted_lost(journal: Journal, name: str) -> Job:
    job = claimed(journal, name)
    journal.mark_submitting(job)
    journal.mark_lost(job)
    return job
