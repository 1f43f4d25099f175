"""Which account the models run on: that of the settings, or the emulator's, which costs nothing."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..app.catalogue.here import HERE
from ..core.config.settings import find_token
from ..core.errors import PROFILE_PAGE, ConfigError, NoToken, step
from ..core.members import member

if TYPE_CHECKING:
    from emulator import Emulator

QUEUE_SECONDS = 0.5
RUN_SECONDS = 1.5


@contextlib.contextmanager
def account(offline: bool, *, quiet: bool = False) -> Iterator[bool]:
    """Use the account of the settings; without a token or with ``offline``, the emulator and a passing state.

    Yields whether what is done lasts beyond the command.

    Raises:
        ConfigError: the token cannot be used, or the emulator is not there.
    """
    reason = ""
    if not offline:
        try:
            find_token(os.environ, Path.home())
        except NoToken as error:
            reason = error.message
    if not offline and not reason:
        yield True
        return
    emulator = _emulator()
    if reason and not quiet:
        print(f"{reason} Running on the emulator: drawn files, no charge.", file=sys.stderr)
    with _running(emulator):
        yield False


@contextlib.contextmanager
def _running(emulator: Emulator) -> Iterator[None]:
    from ..app.service import close_services

    # A download that was abandoned may still write a file while the folder is removed.
    with (
        emulator as api,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state,
    ):
        for spec in HERE.models():
            for version in HERE.added(spec.model_id)[:1]:
                api.offer(version.path)
        api.prices = dict.fromkeys(api.prices, 0.0)
        os.environ["RUNCOMFY_MODEL_API_BASE"] = api.base_url
        os.environ["RUNCOMFY_API_TOKEN"] = api.token
        os.environ["RUNCOMFY_STATE_DIR"] = state
        try:
            yield
        finally:
            close_services()


def _emulator() -> Emulator:
    """Return the emulator, which lies beside this package, in a clone and where pip has installed it.

    Raises:
        ConfigError: it is not there, or lacks what it needs.
    """
    beside = __name__.removesuffix("nodes.shell.offline")
    try:
        emulator: type[Emulator] = member(f"{beside}emulator", "loopback", "Emulator")
    except ModuleNotFoundError as error:
        raise _not_there(error) from None
    # What is submitted has been checked against the same schema.
    return emulator(QUEUE_SECONDS, RUN_SECONDS, validation="lenient")


def _not_there(error: ModuleNotFoundError) -> ConfigError:
    module = (error.name or "").rpartition(".")[2]
    if module == "emulator":
        return ConfigError("emulator_missing", next=(step("get_emulator", url=PROFILE_PAGE),))
    return ConfigError(
        "emulator_needs", module=module, next=(step("install_for_emulator", module=module, url=PROFILE_PAGE),)
    )
