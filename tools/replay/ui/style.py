"""Where everything stands on the screen, in textual's CSS."""

from __future__ import annotations

CSS = """
Screen { background: $background; color: $foreground; }
#title { height: 1; background: $panel; padding: 0 1; }
#middle { height: 1fr; }
#left { width: 32%; min-width: 30; max-width: 52; border: round $border; border-title-color: $primary; }
#left:focus-within { border: round $primary 60%; }
#filter { background: $panel; padding: 0 1; margin: 0 0 1 0; }
#workflows { height: 1fr; }
#count { height: 1; color: #737c8c; padding: 0 1; }
#right { width: 1fr; }
#who { height: 1; padding: 0 1; }
#source { height: 3fr; border: round $border; border-title-color: $primary; border-subtitle-color: #737c8c; }
#below { height: 2fr; }
#locals { width: 4fr; border: round $border; border-title-color: $primary; padding: 0 1; }
#facts { width: 3fr; border: round $border; border-title-color: $primary; padding: 0 1; }
#source:focus, #locals:focus, #facts:focus { border: round $primary 60%; }
#slider { height: 3; padding: 0 1; }
#workflows, #source, #locals, #facts { scrollbar-size-vertical: 1; }
Dialog, ForkDialog, Waiting { align: center middle; background: black 55%; }
.box {
    width: 90%; max-width: 110; height: auto; max-height: 85%; padding: 1 2;
    background: $panel; border: round $primary; border-title-color: $primary; border-subtitle-color: #737c8c;
}
.box VerticalScroll { height: auto; max-height: 100%; }
.box.small { max-width: 76; }
#target { margin: 1 0 0 0; padding: 0 1; background: $background; }
Footer { background: $panel; }
Toast { background: $panel; }
"""
