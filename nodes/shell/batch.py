"""The commands that run jobs: a model for each take of a command line, and the collecting of one job."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ..app.catalogue.permission import VARIABLE as AS_IT_IS
from ..core.config.preferences import MAX_COST
from ..core.config.settings import state_folder
from ..core.errors import InvalidInput
from ..core.money import money
from ..core.schema.model import ModelSpec
from ..core.schema.own import RERUN_SEED
from .consent import Total, require_consent, total_of
from .flags import flag_place, in_flags, node_inputs
from .offline import account
from .report import JSONObject, Report, stopped, table
from .running import Runner, Work
from .saving import Made, Place
from .takes import Take, takes_of
from .terminal import ShellHost

if TYPE_CHECKING:
    from ..app.before_run import Forecast
    from ..core.jobs.context import Delivery


def run_takes(spec: ModelSpec, parser: argparse.ArgumentParser, options: argparse.Namespace) -> Report:
    """Run a model once for each take, and save its files.

    Raises:
        Misused, PackError: nothing was sent.
    """
    out = Place(options.out)
    takes = takes_of(parser, spec, options)
    if not options.dry_run:
        out.require()
    if options.max_cost is not None:
        os.environ[MAX_COST] = str(options.max_cost)
    if options.as_is:
        os.environ[AS_IT_IS] = spec.model_id
    with account(options.offline, quiet=options.quiet) as lasting, _host(options) as host:
        forecasts = [_forecast(spec, take, host) for take in takes]
        total = total_of(forecasts)
        if options.dry_run:
            return _foretold(spec, takes, forecasts, total)
        require_consent(total, options, host)
        firsts = accumulate((_count(spec, take) for take in takes), initial=1)
        works = [_work(spec, take, first, host) for take, first in zip(takes, firsts, strict=False)]
        report = Runner(out, host, lasting=lasting).run(works, options.at_once)
    return stopped(report, host.what_is_left()) if host.stopped() else report


def run_collect(options: argparse.Namespace) -> Report:
    """Collect a job by its request id and save its files.

    Raises:
        PackError: nothing was sent.
    """
    from ..app import run

    out = Place(options.out)
    out.require()
    with _host(options) as host:
        work = Work(lambda: run.run_collect(options.request_id, host), Made("collect", "collect"), {})
        report = Runner(out, host, lasting=True).run([work])
    return stopped(report, host.what_is_left()) if host.stopped() else report


@contextlib.contextmanager
def _host(options: argparse.Namespace) -> Iterator[ShellHost]:
    """Yield the host of runs; at the end, wait for what must not be lost.

    Raises:
        ConfigError: there is no folder for the files on their way.
    """
    from ..app.lending import lending_folder
    from ..app.service import close_services

    host = ShellHost(sys.stderr, quiet=options.quiet or (options.json and not sys.stderr.isatty()))
    with lending_folder(state_folder(os.environ, Path.home())) as host.folder:
        try:
            yield host
        finally:
            host.end_line()
            close_services()


def _forecast(spec: ModelSpec, take: Take, host: ShellHost) -> Forecast:
    """Check a run and tell what it will cost.

    Raises:
        PackError: naming the row, where there are several.
    """
    from ..app.before_run import forecast

    try:
        with in_flags(spec):
            return forecast(spec, node_inputs(spec, take.options), host)
    except InvalidInput as error:
        if not take.place:
            raise
        raise InvalidInput(error.field, "in_take", place=take.place, cause=error.note) from None


def _foretold(spec: ModelSpec, takes: Sequence[Take], forecasts: Sequence[Forecast], total: Total) -> Report:
    """Return the report of a dry run."""
    runs: list[JSONObject] = [
        {
            "prompt": take.of_role(spec, "prompt"),
            "request_id": told.job.request_id if told.job else None,
            "cost_usd": 0.0 if told.job else told.usd,
        }
        for take, told in zip(takes, forecasts, strict=True)
    ]
    known = {"jobs": len(runs), "new_jobs": total.new, "cost_usd": total.usd, "at_least": total.base_only}
    cells = [
        ("paid" if told.job else money(told.usd) or "?", str(run["request_id"] or "-"), str(run["prompt"]))
        for run, told in zip(runs, forecasts, strict=True)
    ]
    return Report(
        {"state": "dry_run", **known, "runs": runs},
        [*table([("COST", "REQUEST", "PROMPT"), *cells], right=(0,)), f"{total.text()}. Nothing was sent."],
    )


def _count(spec: ModelSpec, take: Take) -> int:
    """Return how many files a take asks for."""
    wanted = take.of_role(spec, "count")
    return max(1, int(wanted)) if wanted.isdecimal() else 1


def _work(spec: ModelSpec, take: Take, first: int, host: ShellHost) -> Work:
    """Return a take as a job to be run; ``first`` is the number of its first file in the call."""
    from ..app import run

    async def deliver() -> Delivery:
        with in_flags(spec):
            values = await asyncio.to_thread(node_inputs, spec, take.options)
            return await run.run_model(spec, values, host)

    seed = take.of_role(spec, "seed") or str(vars(take.options).get(flag_place(RERUN_SEED), ""))
    known: JSONObject = {"model_id": spec.model_id, "prompt": take.of_role(spec, "prompt")}
    return Work(deliver, Made(spec.slug, spec.slug, seed, first=first), known, take.place)
