"""Dashboard, alert rules and service file name only what the agent has."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from storage_agent.cli.main import app
from storage_agent.observe import Metrics

DEPLOY = Path(__file__).parents[3] / "deploy"
DASHBOARD = DEPLOY / "grafana" / "walrus-agent.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
UNIT = DEPLOY / "systemd" / "walrus-agent.service"
_NAME = re.compile(r"\bwalrus_agent_[a-z_0-9]+\b")
_LABELS = re.compile(r"(walrus_agent_[a-z_0-9]+)\{([^}]*)\}")
#: What Prometheus itself adds to each series.
_SCRAPED = {"instance", "job"}
#: Of systemd's sets of system calls (`systemd-analyze syscall-filter`), what the process of a job's program calls.
_SETS = {
    "@system-service": {"clone", "execve", "prctl", "prlimit64", "setpriority", "setsid", "setresuid"},
    "@privileged": {"setresuid"},
    "@resources": {"setpriority"},
}


def series() -> dict[str, set[str]]:
    """The names of all series that an agent can have, with their labels."""
    known: dict[str, set[str]] = {}
    for family in Metrics().families():
        kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.kind, [""])
        for suffix in kinds:
            known[family.name + suffix] = set(family.labels) | ({"le"} if suffix == "_bucket" else set())
    return known


def expressions(path: Path) -> list[str]:
    """All queries in a dashboard or in rules."""
    if path == ALERTS:
        return [rule["expr"] for rule in alert_rules()]
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def alert_rules() -> list[dict[str, Any]]:
    """The alert rules."""
    document = yaml.safe_load(ALERTS.read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS], ids=lambda path: path.name)
def test_queries__name_series_and_labels_that_agents_have(path: Path) -> None:
    known = series()
    queries = expressions(path)

    names = {name for query in queries for name in _NAME.findall(query)}
    assert len(names) > 5
    assert names - set(known) == set()
    for query in queries:
        for name, labels in _LABELS.findall(query):
            used = {label.split("=")[0].strip("~!= ") for label in labels.split(",")}
            assert used - known[name] - _SCRAPED == set(), query


def test_dashboard__panels__have_places_of_their_own_and_a_description() -> None:
    document = json.loads(DASHBOARD.read_text())
    panels = document["panels"]

    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] for panel in panels if panel["type"] != "row")
    assert {variable["name"] for variable in document["templating"]["list"]} == {"datasource", "instance"}


def test_alerts__cover_what_costs_an_operator_money_or_bytes() -> None:
    rules = {rule["alert"]: rule for rule in alert_rules()}

    assert set(rules) >= {
        "WalrusProofMissed", "WalrusProofDue", "WalrusKeyBalanceLow", "WalrusChainLag", "WalrusHealingBacklog",
        "WalrusDiskLow", "WalrusJailed",
    }  # fmt: skip
    for rule in rules.values():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def service() -> list[tuple[str, str]]:
    """The settings of the unit's service in their order; one may come several times."""
    lines = UNIT.read_text().partition("[Service]")[2].partition("[Install]")[0].splitlines()
    return [
        (name, value) for name, equals, value in (line.partition("=") for line in lines) if equals and name.isalpha()
    ]


def test_unit__lets_programs_of_jobs_run() -> None:
    allowed: set[str] = set()
    for value in (value for name, value in service() if name == "SystemCallFilter"):
        names: set[str] = set().union(*(_SETS.get(word, {word}) for word in value.lstrip("~").split()))
        allowed = allowed - names if value.startswith("~") else allowed | names
    settings = dict(service())

    # Root is given up in the process where it is root; in the unit it is not.
    assert allowed >= {"clone", "execve", "prctl", "prlimit64", "setsid", "seccomp", "setpriority"}
    # What is compiled is written first, and then run.
    assert settings["MemoryDenyWriteExecute"] == "no"
    # A program that took too much is killed alone.
    assert settings["OOMPolicy"] == "continue"
    assert settings.keys().isdisjoint({"MemoryMax", "LimitAS", "LimitDATA", "LimitNPROC", "TasksMax"})
    assert settings["User"] != "root"


def test_unit__starts_a_command_that_exists_and_keeps_to_its_folder() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT.read_text())
    program, command, *arguments = shlex.split(unit["Service"]["ExecStart"])
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {option for parameter in commands[command].params for option in parameter.opts}

    assert Path(program).name == "walrus-agent"
    assert {word for word in arguments if word.startswith("-")} <= options
    assert arguments[-1].startswith("/var/lib/" + unit["Service"]["StateDirectory"])
    assert (unit["Service"]["ProtectSystem"], unit["Service"]["NoNewPrivileges"]) == ("strict", "yes")
    # Exit code 3: something must be corrected, starting again does not help.
    assert "3" in unit["Service"]["RestartPreventExitStatus"].split()
