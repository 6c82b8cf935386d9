"""Whether a world is well."""

from __future__ import annotations

from .conditions import Condition, State
from .health import Health, health_of, told_health
from .thresholds import Thresholds

__all__ = ["Condition", "Health", "State", "Thresholds", "health_of", "told_health"]
