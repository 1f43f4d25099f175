"""The RunComfy Model API on loopback: for runs without an account, and for tests.

    with Emulator(queue_seconds=1) as emulator:
        bearer = {"Authorization": f"Bearer {emulator.token}"}
        requests.post(f"{emulator.base_url}/models/{model_id}", headers=bearer, json={"prompt": "A tree"})

It is a reading of the API of its own: it imports nothing of the pack, only the models' data files are shared.
"""

import sys

try:
    import aiohttp  # noqa: F401
    import PIL  # noqa: F401
except ModuleNotFoundError as error:
    needed = "The emulator needs aiohttp and Pillow: python -m pip install aiohttp pillow"
    if sys.argv[0] == "-m":  # python -m emulator: Python still looks for what to run
        sys.exit(needed)
    raise ModuleNotFoundError(needed, name=error.name) from None

from .account import DEFAULT_TOKEN, OTHERS_PREFIX
from .answers import TOLERATED, Answers
from .calls import Call
from .faults import Fault, parse_fault
from .jobs import Job
from .loopback import Emulator

__all__ = [
    "DEFAULT_TOKEN",
    "OTHERS_PREFIX",
    "TOLERATED",
    "Answers",
    "Call",
    "Emulator",
    "Fault",
    "Job",
    "parse_fault",
]
