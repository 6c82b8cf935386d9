"""Control of worlds from outside: the endpoint of a running one, and what operators ask of any.

from deathless.tools.control import serve

with Runtime("world.deathless", [buff], clock=GameClock()) as world, serve(world):
    ...                                     # the game's loop; `deathless start world.deathless buff` works now
"""

from .server import serve

__all__ = ["serve"]
