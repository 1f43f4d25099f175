"""``python -m nodes``: the pack from a shell."""

import gc
import sys

from .shell.commands import main

status = main()
# At the end of a process Python searches all its objects for cycles. With those of torch this takes half a second,
# for memory that the system takes back anyway.
gc.freeze()
sys.exit(status)
