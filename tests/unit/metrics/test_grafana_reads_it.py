"""The dashboard is one to Grafana: its own classes read it, and nothing of it is unknown to them."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deathless.tools.cli import main

NOT_MODELLED = {".templating.list[1].definition"}
"""The text of a variable's query, which Grafana's editor keeps beside the query itself."""


def lost(before, after, path=""):
    """List what a value has that another has not."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from [f"{path}.{key}"] if key not in after else lost(value, after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{at}]")
    elif before != after:
        yield path


def test_grafanas_own_classes_read_the_dashboard_whole(capsys):
    assert main(["metrics", "--dashboard"]) == 0
    printed = json.loads(capsys.readouterr().out)
    register_default_plugins()
    dashboard = Dashboard.from_json(printed)
    assert len(dashboard.panels) == len(printed["panels"]) > 20
    again = json.loads(JSONEncoder().encode(dashboard))
    assert set(lost(printed, again)) == NOT_MODELLED
