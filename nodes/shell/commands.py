"""Run RunComfy's models from a shell: one paid job for each prompt, its files saved as they came."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from ..app.catalogue.here import HERE
from ..core.config.settings import state_folder
from ..core.errors import ConfigError, PackError
from ..core.schema.model import ModelSpec
from ..core.store.job import BEFORE
from ..core.store.spending import COLUMNS
from ..core.version import SHELL, VERSION
from .batch import run_collect, run_takes
from .catalogue import commands as catalogue
from .consent import add_consent_flags, amount
from .flags import add_flags
from .jobs import PLACES, allow_retry, cancel_job, copy_journal, list_jobs
from .lookups import list_models, show_balance, show_spending
from .report import Report, Status, failed, help_text, misused, stopped
from .saving import VALUES
from .takes import Misused, add_prompt_flags

RUN, MODELS = "run", "models"
AT_ONCE = 4
DAYS = 31
EPILOG = "Without a token, or with --offline, models run on an emulator of the API: no account, no charge."


class _Parser(argparse.ArgumentParser):
    """Raises what it cannot read, so that it is told as every other failure is."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise Misused(message, self.format_usage())


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, except where there is none to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        nothing = action.default in (None, "", []) or isinstance(action, argparse._StoreTrueAction)
        return action.help if nothing else super()._get_help_string(action)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    report = _report(given)
    return _show(report, as_json="--json" in given)


def _report(given: list[str]) -> Report:
    try:
        options = _options(given)
        report: Report = options.run(options)
    except Misused as error:
        return misused(str(error), error.usage)
    except PackError as error:
        return failed(error)
    except KeyboardInterrupt:
        return stopped()
    return report


def _show(report: Report, *, as_json: bool) -> int:
    """Write what a command brings; a reader who has gone has read enough."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with contextlib.suppress(OSError):
        for text in report.told:
            print(text, file=sys.stderr)
        sys.stderr.flush()
    try:
        sys.stdout.write(report.text(as_json=as_json))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still in Python's own memory would be written, in vain, at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"The output cannot be written ({error.strerror}).", file=sys.stderr)
        return report.status or Status.BROKEN
    return report.status


def _options(given: list[str]) -> argparse.Namespace:
    """Read a command line: that of a model by the model's own flags.

    Raises:
        Misused: it cannot be read.
    """
    with contextlib.suppress(ConfigError):
        HERE.load(state_folder(os.environ, Path.home()))
    spec, rest = _model(given)
    if spec is None:
        commands, of_models = _commands()
        joined = " ".join(given[:2])
        return commands.parse_args([joined, *given[2:]] if joined in of_models else given)
    prog = f"{SHELL} {' '.join(given[: len(given) - len(rest)])}"
    parser = _model_parser(spec, prog)
    # Prompts may stand before flags and behind them.
    return parser.parse_intermixed_args(rest)


def _model(given: list[str]) -> tuple[ModelSpec | None, list[str]]:
    """Return the model that a command line names, and what follows its name."""
    if not given or (given[0] == RUN and (len(given) < 2 or given[1].startswith("-"))):
        return None, given
    if given[0] != RUN:
        return next((spec for spec in HERE.models() if spec.command == given[0]), None), given[1:]
    found = next((spec for spec in HERE.models() if given[1] in (spec.model_id, spec.command)), None)
    if found is None:
        near = difflib.get_close_matches(given[1], [spec.model_id for spec in HERE.models()], 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        told = f"'{SHELL} models' lists all, '{SHELL} models search WORDS' those that can be added"
        raise Misused(f"there is no model {given[1]!r:.200} here{hint}; {told}")
    return found, given[2:]


def _model_parser(spec: ModelSpec, prog: str) -> _Parser:
    """Return the parser of a model: one flag for each property of its schema, then those of every run."""
    parser = _Parser(
        prog=prog,
        description=spec.description,
        epilog=EPILOG,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    add_prompt_flags(parser, spec)
    add_flags(parser, spec)
    runs = parser.add_argument_group("this run")
    _add_out(runs)
    runs.add_argument(
        "--at-once", type=_count, default=AT_ONCE, metavar="INT", help="how many jobs may be under way together"
    )
    add_consent_flags(runs)
    help_text = "what a job may cost at most, where a daily budget is set and nothing tells its price"
    runs.add_argument("--max-cost", type=amount, metavar="USD", help=help_text)
    told = "send it also where the model has changed at RunComfy and does not allow it any more"
    runs.add_argument("--as-is", action="store_true", help=told)
    runs.add_argument("--offline", action="store_true", help="run on the emulator, even with a token")
    _add_common(runs)
    parser.set_defaults(run=lambda options: run_takes(spec, parser, options))
    return parser


def _commands() -> tuple[_Parser, set[str]]:
    """Return the parser of every command that is not a model's, and which of them begin with ``models``.

    Those of models are named in its help.
    """
    parser = _Parser(
        prog=SHELL,
        description=__doc__,
        epilog=f"{EPILOG}\n\n{help_text()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"runcomfy-models {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for spec in HERE.models():
        if spec.command:
            commands.add_parser(spec.command, help=spec.description)
    commands.add_parser(RUN, help="run any model: run MODEL_ID; run MODEL_ID --help shows its flags").add_argument(
        "model_id", metavar="MODEL_ID"
    )
    of_models = _add_model_commands(commands)
    _add_record_commands(commands)
    _add_account_commands(commands)
    _add_journal_commands(commands)
    return parser, of_models


def _add_model_commands(commands: argparse._SubParsersAction[_Parser]) -> set[str]:
    """Add the commands for models; return the names of those that have two words."""
    words = "words of the id, the name or the description"
    listing = _add(commands, MODELS, list_models, "list the models that are here")
    listing.add_argument("words", nargs="*", metavar="WORD", help=words)
    found = _add(commands, f"{MODELS} search", catalogue.search_models, "look through RunComfy's whole catalogue")
    found.add_argument("words", nargs="*", metavar="WORD", help=words)
    found.add_argument("--refresh", action="store_true", help="read it anew, also where it was read today")
    for name, run, told in (
        ("add", catalogue.add_models, "add models of the catalogue: commands here, nodes in ComfyUI"),
        ("remove", catalogue.remove_models, "remove added models"),
        ("update", catalogue.update_models, "bring models up to date with the catalogue"),
    ):
        ids = _add(commands, f"{MODELS} {name}", run, told)
        ids.add_argument("model_ids", nargs="+", metavar="MODEL_ID")
    _add(commands, f"{MODELS} check", catalogue.check_models, "tell which models have changed or vanished")
    return {f"{MODELS} {name}" for name in ("search", "add", "remove", "update", "check")}


def _add_record_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    listing = _add(commands, "jobs", list_jobs, "list the recorded jobs, the newest first")
    listing.add_argument(
        "--search", nargs="+", default=[], metavar="WORD", help="words of the prompt, the model or the request id"
    )
    listing.add_argument("--limit", type=_count, default=50, metavar="INT", help="how many")
    listing.add_argument("--state", choices=sorted(BEFORE), default="", help="those in one state")
    listing.add_argument("--model", default="", metavar="MODEL_ID", help="those of one model")
    listing.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="those made since a day")
    listing.add_argument(
        "--needs", action="store_true", help="those that need you: to collect, to allow, to look at"
    )
    told = "let the inputs of a job be paid for again that was charged and has nothing to hand out"
    retry = _add(listing.add_subparsers(metavar="COMMAND"), "retry", allow_retry, told)
    retry.add_argument("request_id", metavar="REQUEST_ID")
    cancel = _add(commands, "cancel", cancel_job, "cancel a job that is still queued")
    cancel.add_argument("request_id", metavar="REQUEST_ID")
    collect = _add(
        commands, "collect", run_collect, "fetch the files of a job of the account, without a new charge"
    )
    collect.add_argument("request_id", metavar="REQUEST_ID")
    _add_out(collect)


def _add_account_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    _add(commands, "balance", show_balance, "show the account's balance")
    spend = _add(commands, "spend", show_spending, "show what the recorded jobs have cost")
    spend.add_argument("--by", choices=("day", *COLUMNS), default="day", help="what it is summed up by")
    spend.add_argument("--days", type=_count, default=DAYS, metavar="INT", help="how many days, today among them")
    spend.add_argument("--csv", action="store_true", help="as a table for other programs")


def _add_journal_commands(commands: argparse._SubParsersAction[_Parser]) -> None:
    told = "the record of paid jobs, where several hosts share it or are to"
    journal = commands.add_parser("journal", help=told, description=f"{told[0].upper()}{told[1:]}.")
    told = "copy a whole record into an empty one, while no host runs"
    copy = _add(journal.add_subparsers(required=True, metavar="COMMAND"), "copy", copy_journal, told)
    copy.add_argument("source", metavar="FROM", help=PLACES)
    copy.add_argument("target", metavar="TO", help="likewise")


def _add(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    run: Callable[[argparse.Namespace], Report],
    told: str,
) -> _Parser:
    parser = commands.add_parser(
        name, help=told, description=f"{told[0].upper()}{told[1:]}.", formatter_class=_HelpFormatter
    )
    _add_common(parser)
    parser.set_defaults(run=run)
    return parser


def _add_common(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", "-q", action="store_true", help="no word on stderr but a receipt of what failed")


def _add_out(parser: argparse._ActionsContainer) -> None:
    values = ", ".join(f"{{{name}}}" for name in VALUES)
    told = f"a folder, a file name with an ending, or a pattern with {values}; what is there is not overwritten"
    parser.add_argument("--out", "-o", default="output", metavar="PATH", help=told)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of 1 or more is expected, not {text}")
    return min(int(text), sys.maxsize)


def _day(text: str) -> float:
    try:
        day = date.fromisoformat(text)
        return time.mktime((day.year, day.month, day.day, 0, 0, 0, 0, 0, -1))
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"a day such as 2026-11-21 is expected, not {text}") from None
