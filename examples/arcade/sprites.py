"""Pixel art as text: a letter is a colour, a dot lets the ground through."""

from __future__ import annotations

import pygame

PALETTE = {
    "k": "#1b1420",  # outlines and eyes
    "f": "#f2c79a",  # skin
    "b": "#4a3526",  # boots and bark
    "g": "#8d93a3",  # fur
    "G": "#5d6270",
    "o": "#6f8f4a",  # a troll's hide
    "O": "#4c6a35",
    "r": "#d8433b",
    "w": "#ead9b8",  # walls
    "W": "#c4ab86",
    "d": "#5a3b28",  # doors
    "y": "#ffd97a",  # windows
    "s": "#9aa0a8",  # stone
    "S": "#6d737c",
    "l": "#6fb552",  # leaves, from light to dark
    "m": "#4a9443",
    "n": "#2f6f3a",
    "p": "#3b7f5c",
    "q": "#235845",
    "u": "#5aa5e8",  # water in the well
}

STANDING = """
..hhhh..
.hhhhhh.
.hfffff.
..fkfk..
..ffff..
.cccccc.
fccccccf
..cccc..
..b..b..
..b..b..
"""
STEPPING = """
..hhhh..
.hhhhhh.
.hfffff.
..fkfk..
..ffff..
.cccccc.
fccccccf
..cccc..
..bbb...
....bb..
"""
WOLF = """
..g.g.......
.ggggg.....g
gkgkggg...gg
ggggggggggg.
krggggggggg.
..ggGgggGgg.
..gG.g..gGg.
..g..g..g.g.
"""
TROLL = """
...oooo...
..oooooo..
..orooro..
..oooooo..
...wkkw...
.oooooooo.
oooObbOooo
oo.bbbb.oo
oo.bbbb.oo
...oO.Oo..
...oo.oo..
"""
GRAVE = """
..sss..
.sssss.
.sSsSs.
.ssSss.
.sSsSs.
.sssss.
mmmmmmm
"""
TREE = """
...mmmm...
..mllmmm..
.mllmmmmn.
mllmmmmmnn
mlmmmmmmnn
mmmmmlmmnn
.mmmlmmnn.
.nmmmmnnn.
..nnnnnn..
....bb....
....bb....
...bbbb...
"""
PINE = """
....p....
...ppq...
...ppq...
..pppqq..
...ppq...
..pppqq..
.ppppqqq.
..pppqq..
.ppppqqq.
pppppqqqq
....b....
....b....
"""
HOUSE = """
........AA........
.......AAaa.......
......AAAaaa......
.....AAAAaaaa.....
....AAAAAaaaaa....
...AAAAAAaaaaaa...
..AAAAAAAaaaaaaa..
.AAAAAAAAaaaaaaaa.
..wwwwwwwwwwwwWW..
..wwwwwwwwwwwwWW..
..wyywwwddwwyyWW..
..wyywwwddwwyyWW..
..wwwwwwddwwwwWW..
..WWWWWWddWWWWWW..
"""
WELL = """
..rrrrrr..
.rrrrrrrr.
..b....b..
..b....b..
..b....b..
.SSSSSSSS.
SSuuuuuuSS
SGsSSsSSGS
.GGSGGSGG.
"""


def sprite(art: str, **colours: str) -> pygame.Surface:
    """Draw a picture; `colours` are those of its own letters."""
    palette = {**PALETTE, **colours}
    rows = art.strip().split("\n")
    surface = pygame.Surface((len(rows[0]), len(rows)), pygame.SRCALPHA)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter != ".":
                surface.set_at((x, y), palette[letter])
    return surface


def glow(radius: int, colour: str) -> pygame.Surface:
    """Draw a round light that fades out, to be added to the darkness."""
    surface = pygame.Surface((2 * radius, 2 * radius))
    bright = pygame.Color(colour)
    rings = 8
    for ring in range(rings):
        part = (ring + 1) / rings
        shade = pygame.Color(*(int(value * part) for value in (bright.r, bright.g, bright.b)))
        pygame.draw.circle(surface, shade, (radius, radius), radius * (rings - ring) // rings)
    return surface


def darker(colour: str, part: float = 0.72) -> str:
    """Return the colour of the shaded side."""
    bright = pygame.Color(colour)
    return f"#{int(bright.r * part):02x}{int(bright.g * part):02x}{int(bright.b * part):02x}"
