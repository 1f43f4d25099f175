"""``python -m nodes``: the pack from a shell."""

import sys

from .shell.commands import main

sys.exit(main())
