"""`python -m deathless.tools` is the `deathless` command."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
