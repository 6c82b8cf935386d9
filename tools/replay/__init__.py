"""Replay: saved worlds, looked at as they were at each turn, run again, compared and gone on from."""
