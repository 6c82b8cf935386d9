"""The dashboard and the alert rules that come with the package."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
DASHBOARD = _HERE / "grafana" / "deathless.json"
"""For Grafana: import it, and choose the Prometheus that scrapes the world."""
ALERTS = _HERE / "prometheus" / "alerts.yml"
"""For Prometheus: name it under `rule_files`."""


def text_of(file: Path) -> str:
    """Return the text of one of them."""
    return file.read_text(encoding="utf-8")
