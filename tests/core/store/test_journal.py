"""The record of paid jobs: claims, states, budget, and what becomes of it when disk, file or process fail."""

from __future__ import annotations

import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from journals import WHY, Time, accepted, claimed, new_job, sql, traced
from support import ROOT, Runner

from emulator import Emulator, Fault
from nodes.core.errors import JournalError
from nodes.core.store.away.owed import OwedWrites, Write
from nodes.core.store.budget import Budget
from nodes.core.store.engines import sqlite
from nodes.core.store.job import LIVE, Asked, Busy, Claimed, Existing, Job, Moment, OutcomeUnknown
from nodes.core.store.journal import FILE_NAME, Journal

# What may be done with the same fingerprint again


def test_the_first_claim_is_mine_and_the_second_waits(journal: Journal) -> None:
    job = claimed(journal)
    assert isinstance(journal.claim(new_job()), Busy)
    journal.mark_submitting(job)
    assert isinstance(journal.claim(new_job()), Busy)
    assert isinstance(journal.claim(new_job("b")), Claimed)


def test_an_accepted_or_delivered_job_is_found_again(journal: Journal) -> None:
    job = accepted(journal)
    assert journal.claim(new_job()) == Existing(job)
    journal.mark_delivered(job)
    claim = journal.claim(new_job())
    assert isinstance(claim, Existing) and claim.job.state == "delivered"


@pytest.mark.parametrize("end", ["failed", "cancelled", "expired"])
@pytest.mark.parametrize("cost", [None, 0.0])
def test_an_ended_job_is_submitted_anew_and_stays_in_the_record(
    journal: Journal, end: str, cost: float | None
) -> None:
    journal.mark_ended(accepted(journal), end, WHY, cost)
    assert isinstance(journal.claim(new_job()), Claimed)
    assert [(job.state, job.outcome, job.cost) for job in journal.recent()][1] == (end, WHY, cost)


def test_a_refused_job_is_submitted_anew_and_stays_in_the_record(journal: Journal) -> None:
    job = claimed(journal)
    journal.mark_submitting(job)
    journal.mark_refused(job, WHY)
    journal.release(job)
    assert [(row.state, row.outcome) for row in journal.recent()] == [("refused", WHY)]
    assert isinstance(journal.claim(new_job()), Claimed)


def test_a_released_claim_leaves_nothing_and_its_id_is_not_given_again(journal: Journal) -> None:
    job = claimed(journal)
    journal.release(job)
    assert journal.recent() == []
    other = claimed(journal)
    journal.release(job)
    assert [row.id for row in journal.recent()] == [other.id] != [job.id]


def test_a_lost_answer_is_told_until_it_was_told_and_then_submitted_anew(journal: Journal) -> None:
    job = claimed(journal)
    journal.mark_submitting(job)
    journal.mark_lost(job)
    for _ in range(2):
        assert isinstance(journal.claim(new_job()), OutcomeUnknown)
    journal.release(job)
    assert isinstance(journal.claim(new_job()), OutcomeUnknown), "a late clean-up does not forget it"
    journal.mark_reported(job)
    assert isinstance(journal.claim(new_job()), Claimed)
    assert [row.state for row in journal.recent()] == ["preparing", "unknown"]


def asked_now(journal: Journal) -> Asked:
    return Asked(Moment(journal.now(), time.monotonic()))


def test_who_asked_before_a_lost_answer_was_told_is_told_too(journal: Journal, clock: Time) -> None:
    """Also one that had waited for a locked file: found by a history of the simulation."""
    job = claimed(journal)
    asked = asked_now(journal)
    assert isinstance(journal.claim(new_job(), asked=asked), Busy)
    clock.now += 1
    journal.mark_submitting(job)
    journal.mark_lost(job)
    journal.mark_reported(job)
    assert isinstance(journal.claim(new_job(), asked=asked), OutcomeUnknown)
    clock.now -= 90000
    assert isinstance(journal.claim(new_job(), asked=asked_now(journal)), Claimed), "the clock was put back"


@pytest.mark.parametrize("told_first", [True, False])
def test_who_asked_before_the_clock_was_put_back_is_told_too(
    journal: Journal, clock: Time, told_first: bool
) -> None:
    """Found by a history of the simulation: two had waited for a locked file, and the clock was set meanwhile."""
    job = claimed(journal)
    asked = Asked(Moment(clock.now - 30, time.monotonic() - 30))
    for step in ("told", "set") if told_first else ("set", "told"):
        if step == "told":
            journal.mark_submitting(job)
            journal.mark_lost(job)
            journal.mark_reported(job)
        else:
            clock.now -= 90000
    assert isinstance(journal.claim(new_job(), asked=asked), OutcomeUnknown)
    assert isinstance(journal.claim(new_job(), asked=asked_now(journal)), Claimed)


def test_a_late_writer_undoes_nothing(journal: Journal) -> None:
    job = accepted(journal)
    journal.mark_finished(replace(job, files=("https://x/1",), cost=0.5, duration=7.0))
    journal.mark_delivered(job)
    late = journal.mark_finished(replace(job, files=("https://x/1",)))
    assert (late.state, late.cost, late.duration) == ("delivered", 0.5, 7.0)
    assert journal.mark_ended(job, "cancelled", WHY).state == "delivered"
    journal.mark_lost(job)
    journal.release(job)
    with pytest.raises(JournalError, match="nothing is sent"):
        journal.mark_submitting(job)
    claim = journal.claim(new_job())
    assert isinstance(claim, Existing) and claim.job.state == "delivered"


def test_an_answer_with_fewer_files_takes_none_away(journal: Journal) -> None:
    job = accepted(journal)
    pair = journal.mark_finished(replace(job, files=("https://x/1", "https://x/2")))
    single = journal.mark_finished(replace(job, files=("https://evil/1",), cost=0.5))
    assert (single.files, single.cost) == (pair.files, 0.5)
    assert journal.mark_delivered(replace(job, files=("https://evil/1",))).state == "submitted"
    assert journal.mark_delivered(single).state == "delivered"


def test_an_adopted_job_is_found_and_never_taken_back(journal: Journal) -> None:
    job = journal.adopt(new_job("of-request"), "r9")
    assert (job.state, job.request_id) == ("submitted", "r9")
    journal.mark_delivered(job)
    assert journal.adopt(new_job("of-request"), "r9").state == "delivered"
    assert len(journal.recent()) == 1


# Several threads, journals, processes


def test_of_many_threads_with_two_journals_one_claims(open_journal: Callable[[], Journal]) -> None:
    pair = (open_journal(), open_journal())
    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(lambda n: pair[n % 2].claim(new_job()), range(64)))
    assert [type(claim) for claim in claims].count(Claimed) == 1
    assert [type(claim) for claim in claims].count(Busy) == 63


def test_two_journals_see_each_other(open_journal: Callable[[], Journal]) -> None:
    one, other = open_journal(), open_journal()
    job = accepted(one)
    assert other.claim(new_job()) == Existing(job)
    assert one.fingerprint("x", {"a": 1}) == other.fingerprint("x", {"a": 1}), "one key for one folder"
    assert one.account("token", "https://a") != one.account("token", "https://b")


@pytest.mark.parametrize("sent", [False, True])
def test_the_claim_of_an_ended_process(open_journal: Callable[[], Journal], sent: bool) -> None:
    dead, alive = open_journal(), open_journal()
    job = claimed(dead)
    if sent:
        dead.mark_submitting(job)
    assert isinstance(alive.claim(new_job()), Busy)
    dead.close()
    if sent:
        assert isinstance(alive.claim(new_job()), OutcomeUnknown), "it may have been accepted"
        assert [row.state for row in alive.recent()] == ["lost"]
    else:
        assert isinstance(alive.claim(new_job()), Claimed), "nothing was sent"
        assert len(alive.recent()) == 1


def test_a_killed_process_lets_go_of_its_claim(journal: Journal) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from nodes.core.store.journal import Journal; from nodes.core.store.job import NewJob\n"
        "journal = Journal(Path(sys.argv[1]), address=sys.argv[2]); journal.claim(NewJob('a', 'account', 'm'))\n"
        "print('claimed', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(journal.folder), journal.address],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "claimed\n"
        assert isinstance(journal.claim(new_job()), Busy)
        other.kill()
        other.wait()
    # A server notices in its own time.
    ends = time.monotonic() + 10
    while isinstance(claim := journal.claim(new_job()), Busy) and time.monotonic() < ends:
        time.sleep(0.05)
    assert isinstance(claim, Claimed)


# The file


FORKED = """
import os, sys
from pathlib import Path
from nodes.app import service
from nodes.core.store.engines.sqlite_lease import SQLiteLease
folder = Path(sys.argv[1])
journal = service._journal(folder, "")
(lease,) = [path.stem for path in (folder / "owners").glob("*.lock")]
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
print(SQLiteLease(folder / "owners").is_alive(lease), journal.spent_today())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_the_end_of_a_forked_child_does_not_end_the_lease(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", FORKED, str(tmp_path / "state")]
    done = subprocess.run(arguments, cwd=ROOT, text=True, capture_output=True, timeout=60, check=False)
    assert done.stdout == "True 0.0\n", done.stderr


@pytest.mark.sqlite
def test_the_file_is_the_owners_alone(journal: Journal) -> None:
    accepted(journal)
    modes = {path.name: path.stat().st_mode & 0o777 for path in [journal.folder, *journal.folder.rglob("*")]}
    assert modes.pop("state") == modes.pop("owners") == 0o700
    assert len(modes) >= 2 and set(modes.values()) == {0o600}


def test_no_token_prompt_or_pixels_are_in_the_file(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNCOMFY_KEEP_INPUTS", "off")
    prompt = "a very recognizable prompt"
    runner.text_to_image(prompt=prompt, resolution="0.5K")
    files = [path for path in runner.state.rglob("*") if path.is_file() and "kept" not in path.parts]
    raw = b"".join(path.read_bytes() for path in files)
    assert api.jobs[0].request_id.encode() in raw
    assert prompt.encode() not in raw and api.token.encode() not in raw and b"\x89PNG" not in raw


def test_an_empty_file_of_no_version_becomes_a_record(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch()
    journal = Journal(tmp_path)
    claimed(journal)
    journal.close()


@pytest.mark.sqlite
def test_an_older_record_is_carried_forward(
    open_journal: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = open_journal()
    job = accepted(old)
    old.close()
    newer = "CREATE INDEX later ON jobs (cost); CREATE TABLE notes (text TEXT)"
    monkeypatch.setattr(sqlite, "MIGRATIONS", (*sqlite.MIGRATIONS, newer))
    new = open_journal()
    assert new.claim(new_job()) == Existing(job)
    assert sql(new, "PRAGMA user_version") == [(len(sqlite.MIGRATIONS),)]
    assert sql(new, "SELECT count(*) FROM sqlite_schema WHERE name IN ('later', 'notes')") == [(2,)]


@pytest.mark.sqlite
def test_a_failed_migration_changes_nothing(
    open_journal: Callable[[], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = open_journal()
    accepted(old)
    version = sql(old, "PRAGMA user_version")
    broken = "CREATE TABLE notes (text TEXT); CREATE NONSENSE"
    with monkeypatch.context() as patch, pytest.raises(JournalError):
        patch.setattr(sqlite, "MIGRATIONS", (*sqlite.MIGRATIONS, broken))
        open_journal()
    assert sql(old, "PRAGMA user_version") == version
    assert isinstance(open_journal().claim(new_job()), Existing)


@pytest.mark.sqlite
def test_a_record_of_a_newer_version_is_left_alone(journal: Journal) -> None:
    sql(journal, "PRAGMA user_version = 99")
    with pytest.raises(JournalError, match=r"(?s)newer version.*Update the pack"):
        Journal(journal.folder)
    assert sql(journal, "PRAGMA user_version") == [(99,)]


# Opened twice, and by several at once


def other_process(journal: Journal, script: str = "db.execute('SELECT 1 FROM jobs').fetchall()") -> str:
    """Open the file in another process, run ``script`` there and close it, as its last user if it seems unused."""
    lines = ["import sqlite3, sys", "db = sqlite3.connect(sys.argv[1])", script, "db.close()"]
    command = [sys.executable, "-c", "\n".join(lines), str(journal.folder / FILE_NAME)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def another_load(pack: ModuleType) -> type[Journal]:
    """The class of a second load of the pack, under another name, with modules of its own."""
    loaded: type[Journal] = importlib.import_module(f"{pack.__name__}.nodes.core.store.journal").Journal
    assert loaded is not Journal
    return loaded


@pytest.mark.sqlite
@pytest.mark.parametrize("spelled", ["state", "state/../state", "linked"])
def test_a_file_that_is_opened_twice_stays_whole(
    journal: Journal, another_load: type[Journal], spelled: str
) -> None:
    (journal.folder.parent / "linked").symlink_to(journal.folder)
    first = claimed(journal, "before")
    twins = [kind(journal.folder.parent / spelled) for kind in (Journal, another_load)]
    other_process(journal)
    claimed(journal, "after")
    assert other_process(journal, "print(db.execute('SELECT COUNT(*) FROM jobs').fetchone()[0])") == "2\n"
    assert all([type(twin.claim(new_job("before"))).__name__ == "Busy" for twin in twins])
    for twin in twins:
        twin.close()
    other_process(journal)
    journal.mark_submitting(first)
    assert other_process(journal, "print(db.execute('SELECT state FROM jobs').fetchone()[0])") == "submitting\n"


@pytest.mark.sqlite
def test_a_process_has_one_connection_to_a_file(
    journal: Journal, another_load: type[Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    connect = sqlite3.connect

    def counted(path: Path, **options: Any) -> sqlite3.Connection:
        opened.append(path.name)
        return connect(path, **options)

    monkeypatch.setattr(sqlite3, "connect", counted)
    twins = [Journal(journal.folder / "x" / ".."), another_load(journal.folder)]
    journal.close()
    claimed(twins[0])
    for twin in twins:
        twin.close()
    assert FILE_NAME not in opened
    again = Journal(journal.folder)
    assert opened.count(FILE_NAME) == 1
    assert [job.state for job in again.recent()] == ["preparing"]
    again.close()


@pytest.mark.sqlite
def test_a_look_at_a_lease_of_this_process_does_not_end_it(journal: Journal) -> None:
    other = Journal(journal.folder)
    job = claimed(other)
    assert isinstance(journal.claim(new_job()), Busy)
    lease = journal.folder / "owners" / f"{job.owner}.lock"
    script = f"""
lease = sqlite3.connect({str(lease)!r}, timeout=0)
try:
    lease.execute('BEGIN EXCLUSIVE')
    print('dead')
except sqlite3.OperationalError:
    print('alive')
"""
    assert other_process(journal, script) == "alive\n"
    other.close()


FIRST_STARTS = """
import mmap, os, sys
from pathlib import Path
sys.path.insert(0, ".")
from nodes.core.store.job import Claimed, NewJob
from nodes.core.store.journal import Journal

TOGETHER = 2

def start(folder, number, gate):
    gate[number] = 1
    while sum(gate[:]) < TOGETHER:
        pass
    journal = Journal(folder)
    assert isinstance(journal.claim(NewJob(str(number), "a", "m", "v")), Claimed)
    journal.close()

for turn in range(100):
    gate = mmap.mmap(-1, TOGETHER)
    children = []
    for number in range(TOGETHER):
        child = os.fork()
        if not child:
            try:
                start(Path(sys.argv[1]) / str(turn), number, gate)
            except BaseException as error:
                print(repr(error), flush=True)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_first_starts_at_once_all_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FIRST_STARTS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("damage", ["not a database at all" * 400, None])
def test_a_damaged_record_is_set_aside_by_name(tmp_path: Path, damage: str | None) -> None:
    journal = Journal(tmp_path)
    for number in range(60):
        accepted(journal, str(number), f"r{number}")
    journal.close()
    path = tmp_path / FILE_NAME
    content = damage.encode() if damage else path.read_bytes()[:8192] + b"\xa5" * 16384
    path.write_bytes(content)
    with pytest.raises(JournalError, match="set aside as") as raised:
        Journal(tmp_path)
    [aside] = tmp_path.glob("jobs.damaged-*.sqlite3")
    assert str(aside) in str(raised.value)
    assert aside.read_bytes() == content, "nothing is emptied"
    again = Journal(tmp_path)
    claimed(again)
    again.close()


def test_kept_images_of_a_damaged_record_are_not_taken_for_those_of_a_new_job(
    runner: Runner, api: Emulator
) -> None:
    runner.text_to_image("a fox", resolution="0.5K")
    runner.restart()
    (runner.state / FILE_NAME).write_bytes(b"damaged" * 999)
    with pytest.raises(JournalError, match="set aside"):
        runner.text_to_image("a crow", resolution="0.5K")
    (runner.state / "kept").rename(runner.state / "aside")
    (runner.state / "kept").touch()  # so that the new job's images cannot be kept
    runner.text_to_image("a crow", resolution="0.5K")
    (runner.state / "kept").unlink()
    (runner.state / "aside").rename(runner.state / "kept")
    runner.text_to_image("a crow", resolution="0.5K")
    assert "kept copy" not in runner.host.last.text()
    assert len(api.jobs) == 2


@pytest.mark.parametrize("place", ["state", "state/owners", f"state/{FILE_NAME}"])
def test_a_state_folder_that_cannot_be_used_spends_nothing(runner: Runner, api: Emulator, place: str) -> None:
    path = runner.state.parent / place
    path.parent.mkdir(exist_ok=True)
    if path.suffix:
        path.mkdir()
    else:
        path.write_text("in the way")
    with pytest.raises(JournalError, match=r"(?s)nothing is spent.*Charged: no.*RUNCOMFY_STATE_DIR"):
        runner.text_to_image()
    assert api.count("submit") == 0
    path.rmdir() if path.suffix else path.unlink()
    runner.text_to_image(resolution="0.5K")
    assert len(api.billed) == 1


FULL_DISK = """
import asyncio, resource, sys
sys.path.insert(0, "tests")
from hurry import hurry
from support import TEXT_TO_IMAGE, RecordingHost, run_node
from nodes.comfyui.factory import node_class
from nodes.core.errors import PackError
from nodes.core.jobs.progress import Stage
from nodes.app.service import close_services

class Host(RecordingHost):
    full_at = None
    def report(self, progress):
        if progress.stage is self.full_at:
            limit(0)
        super().report(progress)

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def run(host, stage):
    try:
        asyncio.run(run_node(node_class(TEXT_TO_IMAGE, host)(), prompt=stage, resolution="0.5K"))
        return "kept" if host.last.kept else "delivered"
    except PackError as error:
        return type(error).__name__ + (", not charged" if "Charged: no." in str(error) else "")

hurry(5)
for stage in sys.argv[1:]:
    host = Host()
    host.full_at = Stage(stage)
    first = run(host, stage)
    limit(resource.RLIM_INFINITY)
    print(stage, first, run(Host(), stage), run(Host(), stage), sep=": ")
close_services()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_a_full_disk_costs_no_image_and_no_second_payment(runner: Runner, api: Emulator) -> None:
    stages = ["preparing", "submitting", "queued", "running", "downloading"]
    asked: Counter[str] = Counter()

    def queued_then_running(answer: dict[str, object]) -> dict[str, object]:
        asked[str(answer["request_id"])] += 1
        state = {1: "in_queue", 2: "in_progress"}.get(asked[str(answer["request_id"])])
        return {**answer, "status": state} if state else answer

    api.fault(Fault("status", times=None, edit=queued_then_running))
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, *stages],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "preparing: JournalError, not charged: delivered: kept",
        "submitting: JournalError, not charged: delivered: kept",
        "queued: delivered: delivered: kept",
        "running: delivered: delivered: kept",
        "downloading: delivered: delivered: kept",
    ], done.stderr
    assert len(api.jobs) == len(stages)
    assert [row.state for row in runner.jobs()] == ["delivered"] * len(stages)


def test_a_request_id_that_cannot_be_recorded_is_in_the_log(
    runner: Runner, api: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise JournalError("record_unusable", folder="here", error="disk full")

    monkeypatch.setattr(Journal, "mark_submitted", fail)
    runner.text_to_image()
    assert f"request {api.jobs[0].request_id}: what became of it is recorded as soon as" in caplog.text
    assert "(disk full)" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open stays in its place there")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_record_that_is_removed_while_it_is_in_use_spends_nothing(
    runner: Runner, api: Emulator, replaced: bool
) -> None:
    runner.text_to_image()
    aside = runner.state.with_name("aside")
    runner.state.rename(aside)
    if replaced:
        shutil.copytree(aside, runner.state)
    with pytest.raises(
        JournalError, match=r"removed, moved or replaced(?s:.*)Charged: no(?s:.*)start ComfyUI again"
    ):
        runner.text_to_image("a crow")
    shutil.rmtree(runner.state, ignore_errors=True)
    aside.rename(runner.state)
    runner.text_to_image("a crow")
    runner.restart()
    runner.text_to_image("a crow")
    assert api.count("submit") == 2, "what was written is found after a restart"


def test_what_could_not_be_written_is_written_first_later(journal: Journal) -> None:
    job = claimed(journal)
    journal.mark_submitting(job)
    sql(journal, "ALTER TABLE jobs RENAME TO away")
    with pytest.raises(JournalError):
        journal.mark_submitted(job, "r1")
    with pytest.raises(JournalError):
        journal.mark_finished(replace(job, cost=0.5))
    sql(journal, "ALTER TABLE away RENAME TO jobs")
    claim = journal.claim(new_job())
    assert isinstance(claim, Existing)
    assert (claim.job.request_id, claim.job.cost) == ("r1", 0.5)


def test_what_a_dead_process_owed_is_written_by_one_that_was_there_before(
    open_journal: Callable[[], Journal],
) -> None:
    dying, other = open_journal(), open_journal()
    assert other.recent() == []
    job = claimed(dying)
    dying.mark_submitting(job)
    sql(dying, "ALTER TABLE jobs RENAME TO away")
    with pytest.raises(JournalError):
        dying.mark_submitted(job, "r1")
    sql(dying, "ALTER TABLE away RENAME TO jobs")
    dying.close()
    claim = other.claim(new_job())
    assert isinstance(claim, Existing)
    assert claim.job.request_id == "r1"


def test_what_is_owed_is_not_written_again_over_what_came_after_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(journal)
    journal.mark_submitting(job)
    sql(journal, "ALTER TABLE jobs RENAME TO away")
    with pytest.raises(JournalError):
        journal.mark_unsent(job)
    sql(journal, "ALTER TABLE away RENAME TO jobs")
    settled, others = OwedWrites.settled, ThreadPoolExecutor(1)

    def settle_late(owed: OwedWrites, writes: Sequence[Write]) -> None:
        monkeypatch.setattr(OwedWrites, "settled", settled)
        wait([others.submit(journal.spent_today)], 0.5)
        settled(owed, writes)

    monkeypatch.setattr(OwedWrites, "settled", settle_late)
    journal.mark_submitting(job)
    others.shutdown()
    assert sql(journal, "SELECT state FROM jobs") == [("submitting",)], "the POST is on its way"


def test_what_is_in_memory_alone_is_written_at_the_end_of_a_process(
    journal: Journal, open_journal: Callable[[], Journal]
) -> None:
    job = claimed(journal)
    journal.mark_submitting(job)
    sql(journal, "ALTER TABLE jobs RENAME TO away")
    (journal.folder / "owed").write_text("no folder")
    with pytest.raises(JournalError):
        journal.mark_submitted(job, "r1")
    sql(journal, "ALTER TABLE away RENAME TO jobs")
    journal.close()
    claim = open_journal().claim(new_job())
    assert isinstance(claim, Existing)
    assert claim.job.request_id == "r1"


def test_a_hundred_thousand_jobs_are_looked_up_by_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = traced(monkeypatch)
    journal = Journal(tmp_path)
    columns = "fingerprint, account, model_id, variant, size, count, state, owner, request_id, created_at, duration"
    sql(
        journal,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        f"INSERT INTO jobs ({columns}) "
        "SELECT 'f' || i, 'a', 'm', '', '1K', 1, 'delivered', 'o', 'r' || i, i, 1.0 FROM n",
    )
    asked.clear()
    assert isinstance(journal.claim(new_job("f77777"), Budget(9.0, 0.1)), Existing)
    assert isinstance(journal.claim(new_job("new"), Budget(9.0, 0.1)), Claimed)
    assert journal.find("r4711") is not None
    assert len(journal.durations("m", "1K", 1)) == 50
    assert len(journal.recent(20)) == 20
    journal.close()
    selects = [statement for statement in asked if statement.startswith("SELECT")]
    assert len(selects) >= 6
    for statement in selects:
        plan = " ".join(str(row[3]) for row in sql(journal, f"EXPLAIN QUERY PLAN {statement}"))
        assert "SEARCH" in plan or "ORDER BY id DESC LIMIT" in statement, (statement, plan)
        assert "TEMP B-TREE" not in plan


# Whatever happens, in any order


class Lives(RuleBasedStateMachine):
    """Two journals on one folder; runs of three inputs that end, break off, or come late."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.pair = [Journal(self.folder), Journal(self.folder)]
        self.holders: dict[str, set[int]] = {}
        self.owners: dict[int, int] = {}
        self.submitted: dict[int, str] = {}

    @rule(target=jobs, who=st.integers(0, 1), name=st.sampled_from("abc"))
    def claim(self, who: int, name: str):  # type: ignore[no-untyped-def]
        claim = self.pair[who].claim(new_job(name))
        if isinstance(claim, Claimed):
            held = self.holders.setdefault(name, set())
            assert not held, "two claims at once"
            held.add(claim.job.id)
            self.owners[claim.job.id] = who
            return (who, claim.job)
        assert self._live(name) == [claim.job.id]
        return (who, claim.job)

    @rule(which=jobs)
    def post(self, which: tuple[int, Job]) -> None:
        who, job = which
        may = self._state(job) in ("preparing", "submitting")
        try:
            self.pair[who].mark_submitting(job)
        except JournalError:
            assert not may
        else:
            assert may

    @rule(which=jobs)
    def accept(self, which: tuple[int, Job]) -> None:
        who, job = which
        if self._state(job) == "submitting":
            self.submitted[job.id] = f"r{job.id}"
            self.pair[who].mark_submitted(job, f"r{job.id}")
            self._let_go(job)

    @rule(which=jobs, call=st.sampled_from(["mark_lost", "mark_reported", "mark_delivered", "mark_unsent"]))
    def move(self, which: tuple[int, Job], call: str) -> None:
        who, job = which
        if self._state(job) is not None:
            getattr(self.pair[who], call)(job)
        if self._state(job) == "unknown":
            self._let_go(job)

    @rule(which=jobs, end=st.sampled_from(["failed", "cancelled", "expired"]))
    def end(self, which: tuple[int, Job], end: str) -> None:
        who, job = which
        if self._state(job) is not None:
            self.pair[who].mark_ended(job, end, WHY)

    @rule(which=consumes(jobs))
    def release(self, which: tuple[int, Job]) -> None:
        who, job = which
        self.pair[who].release(job)
        if self._state(job) is None:
            self._let_go(job)

    @rule(who=st.integers(0, 1))
    def die(self, who: int) -> None:
        self.pair[who].close()
        self.pair[who] = Journal(self.folder)
        for name in self.holders:
            self.holders[name] = {job for job in self.holders[name] if self.owners[job] != who}

    @invariant()
    def one_live_row_for_a_fingerprint(self) -> None:
        for name in "abc":
            assert len(self._live(name)) <= 1

    @invariant()
    def an_accepted_job_keeps_its_id(self) -> None:
        for job, request_id in self.submitted.items():
            assert self._query(f"SELECT request_id FROM jobs WHERE id = {job}") == [(request_id,)]

    def teardown(self) -> None:
        for journal in self.pair:
            journal.close()
        shutil.rmtree(self.folder)

    def _let_go(self, job: Job) -> None:
        self.holders.get(job.fingerprint, set()).discard(job.id)

    def _query(self, statement: str) -> list[tuple[object, ...]]:
        return sql(self.pair[0], statement)

    def _live(self, name: str) -> list[object]:
        rows = self._query(f"SELECT id FROM jobs WHERE fingerprint = '{name}' AND state IN {LIVE}")
        return [row[0] for row in rows]

    def _state(self, job: Job) -> object:
        rows = self._query(f"SELECT state FROM jobs WHERE id = {job.id}")
        return rows[0][0] if rows else None


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
