"""What a world counts of itself, for Prometheus and Grafana."""

from __future__ import annotations

from .exposition import exposition, serve_metrics

__all__ = ["exposition", "serve_metrics"]
