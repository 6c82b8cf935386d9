"""The doctor: says of a whole world whether it is what it should be, and puts right what can be made of the rest.

for finding in examine_world("world.deathless"):
    print(finding)
"""

from .examination import examine, examine_world
from .finding import ERROR, REPAIR, WARNING, Finding
from .repair import Repaired, repair_world

__all__ = ["ERROR", "REPAIR", "WARNING", "Finding", "Repaired", "examine", "examine_world", "repair_world"]
