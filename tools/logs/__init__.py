"""The log of a world: `configuration` writes it into a rotating file, `log_files` and `follow` read that again.

For games: `configure_log(world)` before the world is opened.
"""

from .configuration import configure_log
from .follow import follow_log
from .log_files import log_path, read_log

__all__ = ["configure_log", "follow_log", "log_path", "read_log"]
