"""The starter game: what `deathless init` makes of the folder `template`."""

from __future__ import annotations

from .creation import create_game

__all__ = ["create_game"]
