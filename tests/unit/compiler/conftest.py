"""Let the tests of the compiler import the kit beside them, whose classes are stored by module and name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
