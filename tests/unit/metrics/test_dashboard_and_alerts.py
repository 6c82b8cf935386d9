"""The dashboard and the alert rules name metrics that are exported, and the reference names all of these."""

import json
import re
from pathlib import Path

import pytest
import yaml

from deathless.tools.cli import main
from deathless.tools.metrics.families import FAMILIES, UP
from deathless.tools.metrics.files import ALERTS, DASHBOARD, text_of

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference" / "metrics.md"
EXPORTED = {UP, *(family.full_name for family in FAMILIES)}
SAMPLES = EXPORTED | {
    f"{family.full_name}_{part}"
    for family in FAMILIES
    if family.kind == "histogram"
    for part in ("bucket", "sum", "count")
}
GUIDE = {
    "DeathlessStuckWorkflows",
    "DeathlessTimerBacklog",
    "DeathlessFailureRate",
    "DeathlessUntouchedWorkflows",
}


def named_in(text):
    return set(re.findall(r"\bdeathless_[a-z_]+", text))


@pytest.fixture(scope="module")
def rules():
    (group,) = yaml.safe_load(text_of(ALERTS))["groups"]
    return group["rules"]


@pytest.fixture(scope="module")
def dashboard():
    return json.loads(text_of(DASHBOARD))


def test_the_reference_has_every_metric_with_its_help_and_labels():
    lines = REFERENCE.read_text(encoding="utf-8").splitlines()
    for family in FAMILIES:
        (line,) = [line for line in lines if line.startswith(f"| `{family.full_name}`")]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[1] == family.kind
        assert cells[2] == ", ".join(f"`{label}`" for label in family.labels)
        assert cells[3] == ("process" if family.inside else "file")
        assert cells[4] == family.help
    assert named_in("\n".join(lines)) <= SAMPLES


def test_names_follow_the_conventions():
    names = [family.full_name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert re.fullmatch(r"deathless_[a-z_]+", family.full_name)
        assert family.full_name.endswith("_total") == (family.kind == "counter")
        assert family.help.endswith(".")


def test_rules_name_metrics_that_are_exported(rules):
    for rule in rules:
        assert named_in(rule["expr"])
        assert named_in(rule["expr"]) <= SAMPLES, rule["alert"]


def test_the_four_conditions_of_the_guide_have_their_rules(rules):
    names = [rule["alert"] for rule in rules]
    assert len(set(names)) == len(names)
    assert GUIDE <= set(names)
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["summary"]


def test_panels_name_metrics_that_are_exported_and_ask_the_chosen_prometheus(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    shown = set()
    for panel in panels:
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert 'instance=~"$instance"' in target["expr"]
            assert named_in(target["expr"]) <= SAMPLES, panel["title"]
            shown |= named_in(target["expr"])
    assert {"deathless_workflows", "deathless_timers_pending", "deathless_step_seconds_bucket"} <= shown


def test_panels_do_not_overlap_and_fit_the_grid(dashboard):
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_has_what_grafana_needs_to_import_it(dashboard):
    assert dashboard["uid"]
    assert dashboard["title"]
    assert dashboard["schemaVersion"] >= 36
    assert "id" not in dashboard, "an id is of one installation"
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    assert variables["instance"]["datasource"]["uid"] == "${datasource}"
    assert named_in(variables["instance"]["definition"]) <= SAMPLES


def test_the_command_prints_both(capsys):
    assert main(["metrics", "--dashboard"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Deathless"
    assert main(["metrics", "--alerts"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["groups"]


def test_each_rule_waits_so_that_no_first_scrape_is_an_alert(rules):
    for rule in rules:
        assert "for" in rule or rule["alert"] == "DeathlessNotPumping", rule["alert"]


def test_the_rule_of_a_full_map_leaves_out_what_is_free(rules):
    (rule,) = [rule for rule in rules if rule["alert"] == "DeathlessMapNearlyFull"]
    assert "(deathless_map_used_bytes - deathless_map_free_bytes) /" in rule["expr"]
