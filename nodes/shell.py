"""The nodes from a shell: flags made from the same schema, the same node classes, pictures saved as files."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

import torch
from PIL import Image

from .comfyui.factory import PackNode, collect_class, node_class
from .comfyui.host import Host
from .core.errors import Charge, ConfigError, InvalidInput, NoToken, PackError, money
from .core.images import Assembly, to_pixels
from .core.journal import FILE_NAME, Journal
from .core.progress import Progress
from .core.records import Job
from .core.registry import load_models
from .core.schema import RERUN_SEED, Boolean, Choice, Field, Images, Integer, ModelSpec, Seed, Text
from .core.service import close_services
from .core.settings import find_token, state_folder
from .core.urls import is_loopback
from .core.waiting import Observer

EPILOG = "Without a token, or with --offline, models run on an emulator of the API: no account, no charge."


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, except where there is none to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default not in (None, "", []) else action.help


class ShellHost:
    """A terminal as the host of a run: a progress line, and Ctrl-C as Stop."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._stopped = False
        self._shown = ""

    def observer(self) -> Observer:
        """Return the one observer there is."""
        return self

    def interrupt(self) -> BaseException:
        """Return what Ctrl-C means."""
        return KeyboardInterrupt()

    def state_folder(self) -> Path | None:
        """Leave the choice to the settings."""
        return None

    def stop(self, *_: object) -> None:
        """Ask the run to stop."""
        self._stopped = True
        # Another Ctrl-C leaves at once, without waiting for what is under way.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def stopped(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._stopped

    def report(self, progress: Progress) -> None:
        """Rewrite the progress line on a terminal; elsewhere, write a line where the text is a new one."""
        line = "; ".join([progress.headline(), *progress.notes, *progress.sent]).splitlines()[0]
        if line == self._shown:
            return
        if self._out.isatty():
            self._out.write("\r" + line.ljust(len(self._shown)))
        else:
            self._out.write(line + "\n")
        self._shown = line
        self._out.flush()

    def end_line(self) -> None:
        """Leave the progress line."""
        if self._out.isatty() and self._shown:
            self._out.write("\n")
        self._shown = ""


def add_model_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], spec: ModelSpec) -> None:
    """Add the subcommand of a model: one flag for each property of its schema."""
    parser = commands.add_parser(
        spec.command,
        help=spec.description,
        description=spec.description,
        epilog=EPILOG,
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )
    for field in spec.fields:
        _add_flag(parser, field)
    if not spec.has_seed:
        parser.add_argument(_flag(RERUN_SEED), type=int, default=0, metavar="INT", help="change it to pay anew")
    parser.add_argument("--out", type=Path, default=Path("output"), metavar="DIR", help="where the pictures go")
    parser.add_argument("--offline", action="store_true", help="run on the emulator, even with a token")
    parser.set_defaults(run=lambda options: run_model(spec, options))


def add_journal_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommands for jobs that are already paid for."""
    listing = commands.add_parser("jobs", help="list the recorded jobs, the newest first")
    listing.add_argument("--limit", type=int, default=50, metavar="INT", help="how many (default: 50)")
    listing.set_defaults(run=list_jobs)
    collect = commands.add_parser(
        "collect", help="fetch the pictures of a job of the account, without a new charge"
    )
    collect.add_argument("request_id", metavar="REQUEST_ID")
    collect.add_argument("--out", type=Path, default=Path("output"), metavar="DIR", help="where the pictures go")
    collect.set_defaults(run=collect_job)


def run_model(spec: ModelSpec, options: argparse.Namespace) -> int:
    """Run a model's node and save its pictures; return the exit status."""
    with _account(options.offline):
        return _run_node(
            lambda host: node_class(spec, host), spec.command, options.out, lambda: _values(spec, options)
        )


def collect_job(options: argparse.Namespace) -> int:
    """Run the node that collects and save the pictures; return the exit status."""
    return _run_node(collect_class, "collect", options.out, lambda: {"request_id": options.request_id})


def list_jobs(options: argparse.Namespace) -> int:
    """Print a line for each recorded job: state, age, cost, model, request id; return the exit status."""
    try:
        folder = state_folder(os.environ, Path.home())
        if not (folder / FILE_NAME).exists():
            print(f"No job is recorded in {folder}.")
            return 0
        with contextlib.closing(Journal(folder)) as journal:
            for job in journal.recent(options.limit):
                print(describe(job, journal.now()))
    except PackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def describe(job: Job, now: float) -> str:
    """Return a job in one line; ``now`` is in seconds since the epoch."""
    minutes = int(max(0.0, now - job.created_at) // 60)
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
    return f"{job.state:<10} {age:>7} {money(job.cost) or '-':>9}  {job.model_id or '-'}  {job.request_id or '-'}"


def _run_node(
    make: Callable[[Host], type[PackNode]], name: str, out: Path, values: Callable[[], dict[str, object]]
) -> int:
    host = ShellHost(sys.stderr)
    signal.signal(signal.SIGINT, host.stop)
    try:
        _require_folder(out)
        batches, urls, request_id = asyncio.run(make(host)().generate(**values()))
        paths = save(batches, out, f"{name}-{request_id}")
    except PackError as error:
        host.end_line()
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        host.end_line()
        print("Stopped.", file=sys.stderr)
        return 130
    host.end_line()
    for path in paths:
        print(path)
    for url in urls.splitlines():
        if not is_loopback(url):
            print(f"hosted: {url}")
    return 0


def save(batches: list[torch.Tensor], folder: Path, name: str) -> list[Path]:
    """Save float32 ``[N,H,W,3]`` batches as PNG files ``name-1.png`` .. and return their paths.

    Raises:
        PackError: the folder cannot be written.
    """
    pictures = [pixels for batch in batches for pixels in to_pixels("images", batch)]
    paths = [folder / f"{name}-{number}.png" for number in range(1, len(pictures) + 1)]
    try:
        for path, pixels in zip(paths, pictures, strict=True):
            Image.fromarray(pixels).save(path)
    except OSError as error:
        raise PackError(
            f"The pictures cannot be saved in {folder} ({error.strerror}).",
            charge=Charge.YES,
            advice="Run the same again with another --out: they are kept, and there is no new charge.",
        ) from None
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m nodes", description=__doc__, epilog=EPILOG)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for spec in load_models():
        add_model_parser(commands, spec)
    add_journal_parsers(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    finally:
        close_services()


def _add_flag(parser: argparse.ArgumentParser, field: Field) -> None:
    flag = _flag(field.name)
    text = field.explanation.replace("%", "%%")
    match field.kind:
        case Text(default=default):
            parser.add_argument(flag, required=field.required, default=default, metavar="TEXT", help=text)
        case Choice(choices=choices, default=default):
            parser.add_argument(flag, choices=choices, default=default, help=text)
        case Integer(minimum=low, maximum=high, default=default):
            parser.add_argument(flag, type=int, default=default, metavar=f"{low}..{high}", help=text)
        case Seed(default=default):
            parser.add_argument(flag, type=int, default=default, metavar="INT", help=text)
        case Boolean(default=default):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default, help=text)
        case Images(minimum=low, maximum=high):
            counts = f"{low} to {high} images in all"
            parser.add_argument(
                "--image",
                type=Path,
                action="append",
                default=[],
                metavar="FILE",
                help=f"reference, repeatable; {counts}",
            )
            parser.add_argument(flag, action="append", default=[], metavar="URL", help=f"{text} Repeatable.")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _require_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InvalidInput("--out", f"{folder} cannot be made a folder or written ({error.strerror})") from None


def _values(spec: ModelSpec, options: argparse.Namespace) -> dict[str, object]:
    """Return the node's inputs as ComfyUI would pass them."""
    given: Mapping[str, object] = vars(options)
    names = [field.name for field in spec.fields] + ([] if spec.has_seed else [RERUN_SEED])
    values = {name: given[name] for name in names}
    for field in spec.fields:
        if isinstance(field.kind, Images):
            values[field.name] = "\n".join(getattr(options, field.name))
            values.update(_sockets(field.kind, options.image))
    return values


def _sockets(kind: Images, paths: list[Path]) -> dict[str, torch.Tensor]:
    if len(paths) > kind.maximum:
        raise InvalidInput("--image", f"at most {kind.maximum} images are allowed, not {len(paths)}")
    return {socket: _load(path) for socket, path in zip(kind.sockets, paths, strict=False)}


def _load(path: Path) -> torch.Tensor:
    assembly = Assembly(1)
    try:
        assembly.place(0, path.read_bytes())
    except OSError as error:
        raise InvalidInput("--image", f"{path} cannot be read ({error.strerror})") from None
    except PackError:
        raise InvalidInput("--image", f"{path} is no PNG, JPEG or WebP image that can be decoded") from None
    return assembly.batches()[0]


@contextlib.contextmanager
def _account(offline: bool) -> Iterator[None]:
    """Use the account of the settings; without a token or with ``offline``, the emulator and a passing state."""
    if not offline:
        try:
            find_token(os.environ, Path.home())
        except NoToken as error:
            print(f"{error.message} Running on the emulator: drawn pictures, no charge.", file=sys.stderr)
            offline = True
        except ConfigError as error:
            raise SystemExit(str(error)) from None
    if not offline:
        yield
        return
    try:
        from emulator import Emulator
    except ImportError as error:
        raise SystemExit(
            f"The emulator comes with the repository and needs requirements-dev.txt ({error}). "
            "Clone it, or set RUNCOMFY_API_TOKEN."
        ) from None

    with Emulator(queue_seconds=0.5, run_seconds=1.5) as api, tempfile.TemporaryDirectory() as state:
        api.prices = dict.fromkeys(api.prices, 0.0)
        os.environ["RUNCOMFY_MODEL_API_BASE"] = api.base_url
        os.environ["RUNCOMFY_API_TOKEN"] = api.token
        os.environ["RUNCOMFY_STATE_DIR"] = state
        try:
            yield
        finally:
            close_services()
