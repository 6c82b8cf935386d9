"""The parts of the arcade village: its land, its life, and how it is seen and drawn."""

import os

# Pygame's greeting would stand between the lines that the program prints.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
