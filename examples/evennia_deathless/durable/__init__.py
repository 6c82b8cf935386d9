"""Deathless for an Evennia game: copy this folder into the game's, as docs/how-to/replace-evennia-scripts.md says."""
