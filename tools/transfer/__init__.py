"""Worlds as a whole: copied while they run, put back, written as text and read again.

    report = backup_world("world.deathless", "backups/monday")
    restore_world("backups/monday", "world.deathless", replace=True)
    export_world("world.deathless", "world.jsonl.gz")
    import_world("world.jsonl.gz", "again.deathless")

Each reads a world that may be running in another process, as of one commit. In the process that runs it, call
`Runtime.backup`, and work on the copy.
"""

from .backup import BackupReport, backup_world
from .export import export_world
from .import_ import import_world
from .restore import RestoreReport, restore_world
from .world_file import FileReport

__all__ = [
    "BackupReport",
    "FileReport",
    "RestoreReport",
    "backup_world",
    "export_world",
    "import_world",
    "restore_world",
]
