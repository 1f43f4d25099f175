"""``python -m nodes``: the pack from a shell."""

import sys

from .shell import main

sys.exit(main())
