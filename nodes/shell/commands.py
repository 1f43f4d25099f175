"""The nodes from a shell: flags made from the same schemas, results saved as files."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..app.host import Host
from ..core.config.preferences import MAX_COST
from ..core.config.settings import find_token, state_folder
from ..core.errors import Charge, ConfigError, InvalidInput, NoToken, PackError, step
from ..core.money import money
from ..core.schema.model import ModelSpec
from ..core.store.job import Job
from ..core.store.journal import FILE_NAME, Journal
from ..core.texts import note
from ..core.urls import is_loopback
from .files import save
from .flags import in_flags, node_inputs
from .models import EPILOG, add_model_parsers
from .terminal import ShellHost

if TYPE_CHECKING:
    from ..core.jobs.context import Delivery


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nodes", description=__doc__, epilog=EPILOG)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_model_parsers(commands, run_model)
    add_journal_parsers(commands)
    options = parser.parse_args(arguments)
    return int(options.run(options))


def add_journal_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands for jobs that are already paid for."""
    listing = commands.add_parser("jobs", help="list the recorded jobs, the newest first")
    listing.add_argument("--limit", type=_count, default=50, metavar="INT", help="how many (default: 50)")
    listing.set_defaults(run=list_jobs)
    retry = listing.add_subparsers(metavar="COMMAND").add_parser(
        "retry",
        help="let the inputs of a job be paid for again that was charged and has nothing to hand out",
    )
    retry.add_argument("request_id", metavar="REQUEST_ID")
    retry.set_defaults(run=allow_retry)
    collect = commands.add_parser("collect", help="fetch the images of a job of the account, without a new charge")
    collect.add_argument("request_id", metavar="REQUEST_ID")
    collect.add_argument("--out", type=Path, default=Path("output"), metavar="DIR", help="where the images go")
    collect.set_defaults(run=collect_job)


def run_model(spec: ModelSpec, options: argparse.Namespace) -> int:
    """Run a model's node and save its images; return the exit status."""

    async def deliver(host: Host) -> Delivery:
        from ..app import run

        inputs = node_inputs(spec, options)
        with in_flags(spec):
            return await run.run_model(spec, inputs, host)

    if options.max_cost is not None:
        os.environ[MAX_COST] = options.max_cost
    with _account(options.offline) as lasting:
        return _run_node(deliver, spec.slug, options.out, lasting)


def collect_job(options: argparse.Namespace) -> int:
    """Run the node that collects and save the images; return the exit status."""

    async def deliver(host: Host) -> Delivery:
        from ..app import run

        return await run.run_collect(options.request_id, host)

    return _run_node(deliver, "collect", options.out, lasting=True)


def list_jobs(options: argparse.Namespace) -> int:
    """Print a line for each recorded job: state, age, cost, model, request id; return the exit status."""

    def list_them(journal: Journal) -> None:
        for job in journal.recent(options.limit):
            print(describe(job, journal.now()))

    return _with_journal(list_them)


def allow_retry(options: argparse.Namespace) -> int:
    """Let a new job be paid for, once, in place of a recorded one; return the exit status."""

    def allow(journal: Journal) -> None:
        print(note("note.retry_allowed", request_id=journal.allow_retry(options.request_id).request_id))

    return _with_journal(allow)


def describe(job: Job, now: float) -> str:
    """Return a job in one line; ``now`` is in seconds since the epoch."""
    minutes = int(max(0.0, now - job.created_at) // 60)
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
    return f"{job.state:<10} {age:>7} {money(job.cost) or '-':>9}  {job.model_id or '-'}  {job.request_id or '-'}"


def _run_node(
    deliver: Callable[[Host], Coroutine[None, None, Delivery]], name: str, out: Path, lasting: bool
) -> int:
    from ..app.lending import lending_folder
    from ..app.service import close_services

    host = ShellHost(sys.stderr)
    signal.signal(signal.SIGINT, host.stop)
    try:
        _require_folder(out)
        with lending_folder(state_folder(os.environ, Path.home())) as folder:
            host.folder = folder
            delivery = asyncio.run(deliver(host))
            try:
                paths = save(delivery.files, out, f"{name}-{delivery.request_id}")
            except OSError as error:
                raise _unsaved(out, error, delivery.request_id if lasting else None) from None
    except PackError as error:
        host.end_line()
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        host.end_line()
        print("Stopped.", file=sys.stderr)
        return 130
    finally:
        close_services()
    host.end_line()
    for path in paths:
        print(path)
    for url in delivery.urls:
        if not is_loopback(url):
            print(f"hosted: {url}")
    return 0


def _require_folder(folder: Path) -> None:
    """Make the folder for the files, before anything is paid for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InvalidInput("--out", "no_folder", path=str(folder), error=error.strerror) from None


def _with_journal(use: Callable[[Journal], None]) -> int:
    """Open the journal where there is one; return the exit status."""
    try:
        folder = state_folder(os.environ, Path.home())
        if not (folder / FILE_NAME).exists():
            print(f"No job is recorded in {folder}.")
            return 0
        with contextlib.closing(Journal(folder)) as journal:
            use(journal)
    except PackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _unsaved(folder: Path, error: OSError, request_id: str | None) -> PackError:
    """Return the receipt of images that could not be saved; there is no ``request_id`` where nothing lasts."""
    charge, steps = Charge.NO, (step("choose_other_out"),)
    if request_id is not None:
        charge, steps = Charge.YES, (step("collect_to_other_out", request_id=request_id),)
    found = error.strerror or type(error).__name__
    return PackError(
        "images_unsaved", folder=str(folder), error=found, request_id=request_id, charge=charge, next=steps
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of 1 or more is expected, not {text}")
    return min(int(text), sys.maxsize)


@contextlib.contextmanager
def _account(offline: bool) -> Iterator[bool]:
    """Use the account of the settings; without a token or with ``offline``, the emulator and a passing state.

    Yields whether what is done lasts beyond the command.
    """
    if not offline:
        try:
            find_token(os.environ, Path.home())
        except NoToken as error:
            print(f"{error.message} Running on the emulator: drawn images, no charge.", file=sys.stderr)
            offline = True
        except ConfigError as error:
            raise SystemExit(str(error)) from None
    if not offline:
        yield True
        return
    try:
        from emulator import Emulator
    except ImportError as error:
        raise SystemExit(
            f"The emulator comes with the repository and needs requirements-dev.txt ({error}). "
            "Clone it, or set RUNCOMFY_API_TOKEN."
        ) from None
    from ..app.service import close_services

    # A download that was abandoned may still write a file while the folder is removed.
    with (
        Emulator(queue_seconds=0.5, run_seconds=1.5) as api,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state,
    ):
        api.prices = dict.fromkeys(api.prices, 0.0)
        os.environ["RUNCOMFY_MODEL_API_BASE"] = api.base_url
        os.environ["RUNCOMFY_API_TOKEN"] = api.token
        os.environ["RUNCOMFY_STATE_DIR"] = state
        try:
            yield False
        finally:
            close_services()
