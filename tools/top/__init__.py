"""A living world at a glance, from outside."""

from __future__ import annotations

from .glimpse import Glimpse, Member, Order
from .watch import Watch

__all__ = ["Glimpse", "Member", "Order", "Watch"]
