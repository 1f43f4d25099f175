"""The models as subcommands: ``run MODEL_ID``, commands of their own where they have one, and the list of all."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from ..core.schema.model import ModelSpec
from ..core.schema.registry import load_models
from .flags import add_flags

EPILOG = "Without a token, or with --offline, models run on an emulator of the API: no account, no charge."
SOURCE = "pack"

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run: TypeAlias = Callable[[ModelSpec, argparse.Namespace], int]


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, except where there is none to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default not in (None, "", []) else action.help


def add_model_parsers(commands: Commands, run: Run) -> None:
    """Add the subcommands of the models; ``run`` runs one with its flags and returns the exit status."""
    for spec in load_models():
        if spec.command:
            parser = commands.add_parser(spec.command, help=spec.description, **_options(spec))
            _add_model_flags(parser, spec, run)
    by_id = commands.add_parser("run", help="run a model by its id", epilog=EPILOG)
    by_id.add_argument("model_id", metavar="MODEL_ID", help="as `models` lists it")
    by_id.add_argument("flags", nargs=argparse.REMAINDER, metavar="FLAGS", help="see `run MODEL_ID --help`")
    by_id.set_defaults(run=lambda options: _run_by_id(by_id, options, run))
    listing = commands.add_parser("models", help="list the models that are here")
    listing.add_argument("--json", action="store_true", help="as a JSON array")
    listing.set_defaults(run=list_models)


def list_models(options: argparse.Namespace) -> int:
    """Print what is known of each model; return the exit status."""
    found = [
        {
            "model_id": spec.model_id,
            "node_id": spec.node_id,
            "command": spec.command or f"run {spec.model_id}",
            "output": spec.output.medium,
            "source": SOURCE,
        }
        for spec in load_models()
    ]
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    widths = {key: max(len(one[key]) for one in found) for key in ("model_id", "output")}
    for one in found:
        model_id, output = (one[key].ljust(width) for key, width in widths.items())
        print(f"{model_id}  {output}  {one['node_id']}")
    return 0


def _run_by_id(parser: argparse.ArgumentParser, options: argparse.Namespace, run: Run) -> int:
    spec = next((spec for spec in load_models() if spec.model_id == options.model_id), None)
    if spec is None:
        parser.error(f"there is no model {options.model_id!r:.200}; `python -m nodes models` lists all")
    own = argparse.ArgumentParser(prog=f"{parser.prog} {spec.model_id}", **_options(spec))
    _add_model_flags(own, spec, run)
    given = own.parse_args(options.flags)
    return int(given.run(given))


def _options(spec: ModelSpec) -> dict[str, Any]:
    shown = {"description": spec.description, "epilog": EPILOG}
    return {**shown, "formatter_class": _HelpFormatter, "allow_abbrev": False}


def _add_model_flags(parser: argparse.ArgumentParser, spec: ModelSpec, run: Run) -> None:
    """Add one flag for each input of a model, and those that all models have."""
    add_flags(parser, spec)
    parser.add_argument("--out", type=Path, default=Path("output"), metavar="DIR", help="where the files go")
    help_text = "what it may cost at most, where a daily budget is set and nothing tells its price"
    parser.add_argument("--max-cost", type=_usd, metavar="USD", help=help_text)
    parser.add_argument("--offline", action="store_true", help="run on the emulator, even with a token")
    parser.set_defaults(run=lambda options: run(spec, options))


def _usd(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"a number of 0 or more is expected, not {text}")
    return text
