"""Durable actors for game entities: what an NPC does is ordinary async code that outlives a crash."""

__version__ = "0.1.0"
