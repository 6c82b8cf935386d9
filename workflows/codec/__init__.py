"""Values to bytes and back.

TBD
"""

from __future__ import annotations

from .codec import Codec, Extension

__all__ = ["Codec", "Extension", "is_tree"]

is_tree = Codec().is_tree
