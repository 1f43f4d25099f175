"""What people do at their computers, one thing after the other; and how they come to terms at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from nodes.app.account import allow_retry
from nodes.app.service import Service, open_service
from nodes.core.config.settings import read_settings
from nodes.core.errors import JobCancelled, JobFailed, NotFound, PackError
from nodes.core.schema.registry import load_models

from .plan import Action
from .world.process import STATE_DIR, TOKEN, Process, Prompt, Run, Take
from .world.world import World

MODELS = {spec.model_id: spec for spec in load_models()}
TEXT_TO_IMAGE = MODELS["google/nano-banana-2/text-to-image"]
PRO_EDIT = MODELS["google/nano-banana/pro/edit"]
SPECS = (TEXT_TO_IMAGE, PRO_EDIT)
# What the record offers to collect.
COLLECTABLE = ("submitted", "delivered")
# After each run of a take that does not deliver. Files that come late are there after the first; a file that is not
# there may be late for an hour. Who has waited for that long does as the receipt says.
PAUSES = (40.0, 3600.0, 1.0, 1.0, 1.0)
PATIENT_ATTEMPTS = 2
CLAIMED = ("preparing", "submitting")
WISH_SECONDS = 60.0
AGAIN = 0.25


class People:
    """Everybody who works with this journal."""

    def __init__(self, world: World) -> None:
        self.prompts: list[Prompt] = []
        self._world = world
        self._seeds = [0] * len(world.plan.nodes)
        self._last: dict[int, tuple[int, ...]] = {}

    def live(self) -> None:
        """Do what is planned; then, with everything mended, run all takes until they deliver."""
        for action in self._world.plan.actions:
            self._world.scheduler.sleep(action.after)
            getattr(self, f"_{action.do}")(action)
        for process in list(self._world.processes):
            process.wait()
        self._settle()

    def _run(self, action: Action) -> None:
        if not action.nodes:
            return
        self._last[action.process] = action.nodes
        process = self._process(action)
        self._enqueue(process, [self._take(process, node) for node in action.nodes])

    def _again(self, action: Action) -> None:
        process, nodes = self._process(action), self._last.get(action.process, ())
        if nodes:
            self._enqueue(process, [self._take(process, node) for node in nodes])

    def _wait(self, action: Action) -> None:
        self._process(action).wait()

    def _stop(self, action: Action) -> None:
        self._world.tell(f"Stop in process {action.process}")
        self._process(action).stop()

    def _seed(self, action: Action) -> None:
        for node in action.nodes:
            self._seeds[node % len(self._seeds)] += 1

    def _kill(self, action: Action) -> None:
        self._world.kill(self._process(action))

    def _restart(self, action: Action) -> None:
        process = self._process(action)
        process.wait()
        process.quit()
        self._world.tell(f"process {action.process} is started again")
        self._world.processes[process.number] = self._world.boot(process.number, process.environ)

    def _power(self, _action: Action) -> None:
        self._world.tell("the power fails")
        for process in list(self._world.processes):
            self._world.kill(process)
        self._world.disk.lose_power()

    def _clock(self, action: Action) -> None:
        self._world.tell(f"the clock is changed by {action.value:.0f} s")
        self._world.clock_offset += action.value

    def _later(self, action: Action) -> None:
        self._world.scheduler.sleep(action.value)

    def _token(self, action: Action) -> None:
        """Renew the token of a process's account, and enter the new one everywhere."""
        old = self._process(action).environ[TOKEN]
        for account in self._world.provider.accounts:
            if account.token == old:
                account.tokens.append(f"{old}-renewed{len(account.tokens)}")
                self._enter_token(old, account.token)
                self._world.tell(f"the token of account {account.number} is renewed")

    def _switch(self, action: Action) -> None:
        """Work for another account in a process."""
        accounts = self._world.provider.accounts
        account = accounts[int(action.value) % len(accounts)]
        self._process(action).environ[TOKEN] = account.token
        self._world.tell(f"process {action.process} works for account {account.number}")

    def _balance(self, action: Action) -> None:
        account = self._world.provider.accounts[self._account(self._process(action))]
        account.has_balance = bool(action.value)

    def _collect(self, action: Action) -> None:
        """Collect a job that somebody of the same account has seen; which one, the action's value says."""
        process = self._process(action)
        account = self._account(process)
        seen = [
            request_id
            for run in self._world.runs
            for request_id in run.ids
            if request_id in self._world.provider.jobs
            and self._world.provider.jobs[request_id].account.number == account
        ]
        if seen:
            self._enqueue(process, [None], seen[int(action.value * len(seen)) % len(seen)])

    def _collect_unknown(self, action: Action) -> None:
        self._enqueue(self._process(action), [None], "nobody-knows-this")

    def _permit(self, action: Action) -> None:
        """Let every job that was paid for in vain, as far as the record knows, be paid for anew."""
        for row in self._world.journal():
            if row["request_id"] and row["state"] in ("failed", "expired"):
                self._in(self._process(action), partial(self._allow_retry, row["request_id"]))

    def _respell(self, action: Action) -> None:
        """Name the state folder in another way: the journal is opened once more, in the same process."""
        process = self._process(action)
        folder = self._world.disk.folder
        process.environ[STATE_DIR] = str(folder / ".." / folder.name)
        self._world.tell(f"process {action.process} names its folder in another way")

    def _litter(self, _action: Action) -> None:
        """Leave a stray file in every kept folder, as some file managers do."""
        for folder in sorted(self._world.disk.folder.glob("kept/*")):
            (folder / ".DS_Store").touch()

    def _lose_kept(self, _action: Action) -> None:
        """Remove the kept copies."""
        for file in sorted(self._world.disk.folder.glob("kept/*/*")):
            file.unlink()

    def _process(self, action: Action) -> Process:
        return self._world.processes[action.process % len(self._world.processes)]

    def _account(self, process: Process) -> int:
        return self._world.account_of(process.environ[TOKEN])

    def _enter_token(self, old: str, new: str) -> None:
        for process in self._world.processes:
            if process.environ[TOKEN] == old:
                process.environ[TOKEN] = new

    def _take(self, process: Process, node: int) -> Take:
        planned = self._world.plan.nodes[node % len(self._world.plan.nodes)]
        spec = SPECS[planned.model]
        seed = {"seed" if spec is TEXT_TO_IMAGE else "rerun_seed": self._seeds[node % len(self._seeds)]}
        return Take(self._account(process), node, spec, {**planned.values, **seed})

    def _enqueue(self, process: Process, takes: Iterable[Take | None], request_id: str | None = None) -> Prompt:
        runs = []
        for take in takes:
            token = process.environ[TOKEN]
            run = Run(len(self._world.runs), process.number, token, take, request_id)
            self._world.runs.append(run)
            runs.append(run)
        prompt = process.enqueue(runs)
        self.prompts.append(prompt)
        return prompt

    def _settle(self) -> None:
        """End every process, well or badly; then run each take again in new ones, where nothing fails any more."""
        world = self._world
        world.mend()
        world.tell("everything is mended, and every take is run again")
        for process in world.processes:
            if world.random.random() < 0.5:
                process.quit()
            else:
                process.die()
        world.processes = []
        # What is left claimed shows, when it is asked for, whether it can be had again.
        everything = any(row["state"] in CLAIMED for row in world.journal())
        for account in world.provider.accounts:
            account.has_balance = True
            mine = [run.take for run in world.runs if run.take is not None and run.take.account == account.number]
            takes = {take.key: take for take in mine}
            if takes:
                again = [take for take in takes.values() if everything or self._is_run_again(take)]
                self._settle_account(account.number, again)

    def _is_run_again(self, take: Take) -> bool:
        """Whether a take is run at the end: each that was not delivered, and some of the others."""
        runs = [run for run in self._world.runs if run.take is not None and run.take.key == take.key]
        last = runs[-1].delivery
        return last is None or last.missing > 0 or self._world.random.random() < AGAIN

    def _settle_account(self, account: int, takes: list[Take]) -> None:
        world = self._world
        process = world.boot(len(world.processes), world.environ(account, budget=1e6))
        world.processes.append(process)
        for take in takes:
            self._run_until_delivered(process, take)
        for request_id in self._collectable(account):
            self._collect_at_last(process, request_id)
        self._in(process, self._look_at_spending)
        process.quit()

    def _run_until_delivered(self, process: Process, take: Take) -> None:
        """Run a take, and do what its receipts advise."""
        for attempt, pause in enumerate(PAUSES):
            run = self._enqueue(process, [take]).runs[0]
            process.wait()
            if run.delivery is not None:
                return
            if attempt >= PATIENT_ATTEMPTS and advises(run, "allow_retry"):
                self._in(process, partial(self._allow_retry, run.receipt.request_id))
            self._world.scheduler.sleep(pause + (self._put_back() if pause == max(PAUSES) else 0.0))

    def _put_back(self) -> float:
        """Return by how many seconds the clock is slow: an hour by that clock takes longer."""
        return max(0.0, -self._world.clock_offset)

    def _collectable(self, account: int) -> list[str]:
        """Return the jobs that were told of to a person, or that the record offers, and that nobody has yet."""
        world = self._world
        told = {row["request_id"]: None for row in world.journal() if row["state"] in COLLECTABLE}
        told.update((run.receipt.request_id, None) for run in world.runs if run.error is not None)
        whole = (run.delivery for run in world.runs if run.delivery is not None and not run.delivery.missing)
        had = {delivery.request_id for delivery in whole}
        jobs = world.provider.jobs
        return [
            request_id
            for request_id in told
            if request_id and request_id not in had
            and (request_id not in jobs or jobs[request_id].account.number == account)
        ]  # fmt: skip

    def _collect_at_last(self, process: Process, request_id: str) -> None:
        for pause in PAUSES:
            run = self._enqueue(process, [None], request_id).runs[0]
            process.wait()
            if run.delivery is not None or is_final(run):
                return
            self._world.scheduler.sleep(pause)

    def _in(self, process: Process, work: Callable[[], None]) -> None:
        """Let a process do something beside its prompts, and wait until that is done."""
        me, done = self._world.scheduler.current, []

        def do() -> None:
            work()
            done.append(True)
            if me is not None:
                self._world.scheduler.wake(me)

        self._world.scheduler.spawn(do, process, "a person's wish")
        while not done and self._world.scheduler.park(WISH_SECONDS):
            continue

    def _allow_retry(self, request_id: str) -> None:
        """Let another job be paid for in place of this one."""
        world = self._world
        try:
            allow_retry(_service().journal, request_id)
        except PackError as error:
            world.tell(f"{request_id}: no permission: {error.message}")
        else:
            world.permissions.append((request_id, world.scheduler.now))
            world.tell(f"{request_id} may be paid for anew")

    def _look_at_spending(self) -> None:
        journal = _service().journal
        self._world.spent_today = (journal.spent_today(), journal.now())


def is_final(run: Run) -> bool:
    """Whether a run's receipt says that there is nothing to collect; an image may appear after all."""
    ended = isinstance(run.error, NotFound | JobFailed | JobCancelled)
    return ended and run.receipt.kind != "no_image"


def advises(run: Run, step: str) -> bool:
    """Whether a run's receipt has this next step."""
    return run.error is not None and any(one.kind == f"next.{step}" for one in run.receipt.next)


def _service() -> Service:
    return open_service(read_settings(os.environ, Path.home()))
