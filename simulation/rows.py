"""Ways in which money was lost once, each as faults and actions of its own: some of them join each history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .drafting import Draft

Add = Callable[[Draft, Random], None]


@dataclass(frozen=True)
class Row:
    """One row: what it adds to a history."""

    name: str
    about: str
    add: Add


ROWS: dict[str, Row] = {}


def row(about: str) -> Callable[[Add], Add]:
    """Name a function that adds a row to a history."""

    def note(add: Add) -> Add:
        name = add.__name__
        ROWS[name] = Row(name, about, add)
        return add

    return note


@row("the token is renewed, in mid-job or between runs")
def token_renewed(draft: Draft, random: Random) -> None:
    draft.insert("token", random)
    draft.then("run")


@row("a budget, and prices that cannot be read")
def prices_unknown(draft: Draft, random: Random) -> None:
    draft.set_budget(random)
    draft.fault("price", random.choice(("status", "page", "garbage")), nth=0, times=99, value=503)


@row("a budget, and jobs that cost more than the base price")
def prices_too_low(draft: Draft, random: Random) -> None:
    draft.many_alike(random, resolution="4K")
    draft.budget = random.choice((0.3, 0.5, 1.0))


@row("a budget, and jobs that end without an image and never tell a cost")
def ends_without_a_cost(draft: Draft, random: Random) -> None:
    draft.many_alike(random)
    draft.budget = random.choice((0.1, 0.2, 0.3))
    draft.fault("job", "blocked_no_cost", times=99)
    draft.then("seed", "run", "wait", "seed", "run")


@row("one file of several is damaged for good, or not there")
def file_damaged(draft: Draft, random: Random) -> None:
    draft.change_nodes(random, num_images=random.choice((2, 3, 4)))
    draft.fault("job", "file_damaged", nth=random.randrange(3), value=random.choice((0, 1)))
    draft.then("again")


@row("the files of a delivered job have expired, and its kept copy is gone")
def files_gone(draft: Draft, random: Random) -> None:
    draft.fault("job", "expires", nth=0, times=9, value=60)
    draft.then("wait", "later", "lose_kept", "again", value=4000)


@row("a proxy refuses the files of a delivered job, and its kept copy is gone")
def files_refused(draft: Draft, random: Random) -> None:
    draft.fault("file", "file_missing", nth=random.randrange(1, 3), times=9, value=403)
    draft.then("wait", "later", random.choice(("lose_kept", "litter")), "again", value=4000)


@row("a stray file lies in the folder of a kept copy")
def stray_file(draft: Draft, random: Random) -> None:
    draft.fault("job", "expires", nth=0, times=9, value=60)
    draft.then("wait", "later", "litter", "again", value=4000)


@row("a call is answered with what belongs to another request")
def answers_of_others(draft: Draft, random: Random) -> None:
    draft.fault(
        random.choice(("status", "result")), "another", nth=random.randrange(6), times=random.randrange(1, 4)
    )


@row("a result names another model")
def another_model(draft: Draft, random: Random) -> None:
    draft.both_models()
    draft.fault("result", "another_model", nth=random.randrange(3), times=2)


@row("a job is said to be done some seconds before its files appear")
def output_late(draft: Draft, random: Random) -> None:
    draft.fault("job", "output_late", nth=random.randrange(3), value=random.choice((4, 30)))
    draft.then("wait", "again")


@row("an output that is there and not understood")
def output_unread(draft: Draft, random: Random) -> None:
    draft.fault("job", "output_unread", nth=random.randrange(3))
    draft.then("wait", "again")


@row("a submission is answered with an id and, beside it, a code")
def code_beside_id(draft: Draft, random: Random) -> None:
    draft.fault("submit", "code_beside_id", nth=random.randrange(3))
    draft.then("wait", "again")


@row("a submission is answered with an id and an HTTP error")
def error_beside_id(draft: Draft, random: Random) -> None:
    draft.fault("submit", "error_beside_id", nth=random.randrange(3), value=random.choice((408, 409, 499, 500)))
    draft.then("wait", "again")


@row("a submission is answered with HTTP 408, 409 or 499 although the job was accepted")
def doubtful_refusal(draft: Draft, random: Random) -> None:
    draft.fault("submit", "status_after", nth=random.randrange(3), value=random.choice((408, 409, 499)))
    draft.then("wait", "again")


@row("a proxy answers 401 or 403 in mid-job")
def proxy_refusal(draft: Draft, random: Random) -> None:
    draft.fault(
        random.choice(("status", "result")),
        "proxy_refusal",
        nth=random.randrange(4),
        value=random.choice((401, 403)),
    )
    draft.then("wait", "again")


@row("a job fails and is charged")
def charged_failure(draft: Draft, random: Random) -> None:
    draft.fault("job", "fails_charged", nth=random.randrange(3))
    draft.then("wait", "again")


@row("a person lets another job be paid for in place of one that was paid for in vain")
def permission(draft: Draft, random: Random) -> None:
    draft.fault("job", random.choice(("fails_charged", "blocked", "blocked_no_cost")), nth=0, times=3)
    draft.then("wait", random.choice(("again", "wait")), "permit", "again", "wait", "again")


@row("the journal is opened twice in one process, under two names of its folder")
def opened_twice(draft: Draft, random: Random) -> None:
    draft.insert("respell", random)
    draft.then("again")


@row("Stop in one process, while another one waits for the same job")
def stop_of_one(draft: Draft, random: Random) -> None:
    draft.two_processes()
    draft.fault("job", "queued_long", nth=0, value=20)
    draft.begin_with_twins()
    draft.act("stop", after=random.random() * 8, process=0)


@row("an id is collected that no request has")
def wrong_id_collected(draft: Draft, random: Random) -> None:
    draft.insert("collect_unknown", random)


@row("Retry-After: inf")
def retry_after_inf(draft: Draft, random: Random) -> None:
    draft.fault(random.choice(("submit", "status")), "retry_after_inf", nth=random.randrange(3))


@row("forms that the vendor's own client takes")
def vendor_forms(draft: Draft, random: Random) -> None:
    draft.change_nodes(random, num_images=1)
    draft.insert("stop", random)


@row("a page with HTTP 200 in place of a file")
def page_as_file(draft: Draft, random: Random) -> None:
    draft.fault("file", "page_as_file", nth=random.randrange(4), times=random.randrange(1, 5))


@row("answers to submissions are lost while the journal is locked")
def locked_and_lost(draft: Draft, random: Random) -> None:
    draft.fault("submit", "lost", nth=0, times=4)
    draft.disk("locked", begins=0.02 + random.random() * 0.1, seconds=25 + random.random() * 20)
    draft.begin_with("stop", after=10.2 + random.random() * 8)


@row("status calls within max(20, t/2)")
def pace(draft: Draft, random: Random) -> None:
    draft.fault("job", "runs_long", nth=0, times=9, value=20 + random.random() * 200)


@row("the computer's clock is put back while a job runs that a later run waits for")
def clock_put_back(draft: Draft, random: Random) -> None:
    draft.fault("job", "runs_long", nth=0, times=9, value=20 + random.random() * 40)
    draft.actions[1:] = []
    draft.act("stop", after=random.random() * 8 + 1)
    draft.act("clock", value=-90000)
    draft.then("again")


@row("a log never says that nothing is spent after spending")
def log_after_spending(draft: Draft, random: Random) -> None:
    draft.disk(
        random.choice(("full", "read_only", "locked")), begins=random.random() * 3, seconds=15 + random.random() * 5
    )
