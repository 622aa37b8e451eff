"""docs/metrics.md lists every metric; rules and dashboard name only those that there are."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import yaml

from gridzero.outputs.metrics.catalogue import METRICS
from gridzero.outputs.metrics.collector import FRESH_S, OWN

DOCS = Path(__file__).parents[4] / "docs"
PAGE = DOCS / "metrics.md"
BEGIN, END = "<!-- metrics -->\n", "<!-- end of metrics -->\n"
NAMES = {metric.name for metric in METRICS} | {name for name, _, _ in OWN}


def table() -> str:
    own = ((name, text, "", labels) for name, text, labels in OWN)
    given = ((one.name, one.text, f"`{one.topic}`", one.labels) for one in METRICS)
    rows = (
        f"| `{name}` | {text} | {', '.join(f'`{label}`' for label in labels)} | {topic} |\n"
        for name, text, topic, labels in (*own, *given)
    )
    return f"| name | meaning | labels | topic |\n|---|---|---|---|\n{''.join(rows)}"


def named_in(text: str) -> set[str]:
    return set(re.findall(r"gridzero_[a-z_]+", text))


def test_the_page_lists_every_metric() -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = f"{before}{BEGIN}{table()}{END}{after}"
    if os.environ.get("GRIDZERO_WRITE_DOCS"):
        PAGE.write_text(wanted)
    assert PAGE.read_text() == wanted
    assert named_in(before) <= NAMES


def test_the_page_tells_when_each_topic_is_old() -> None:
    words = PAGE.read_text().partition("the samples of a topic")[2].partition("after its last")[0]
    for topic, limit_s in FRESH_S.items():
        assert re.search(rf"{limit_s:g} s \([^)]*`{topic}`[^)]*\)", words), topic


def test_the_rules_name_only_metrics_that_there_are() -> None:
    (group,) = yaml.safe_load((DOCS / "metrics" / "alerts.rules.yaml").read_text())["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])
    for rule in group["rules"]:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert named_in(rule["expr"]), rule["alert"]
        assert named_in(rule["expr"]) <= NAMES, rule["alert"]
        labels = set(re.findall(r"\{(\w+)!?=", rule["expr"]))
        assert labels <= labels_of(rule["expr"]), rule["alert"]


def test_the_dashboard_names_only_metrics_that_there_are() -> None:
    board: dict[str, Any] = json.loads((DOCS / "metrics" / "grafana.json").read_text())
    targets = [target for panel in board["panels"] for target in panel["targets"]]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for target in targets:
        assert named_in(target["expr"]), target
        assert named_in(target["expr"]) <= NAMES, target
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert shown <= labels_of(target["expr"]), target


def labels_of(expression: str) -> set[str]:
    named = named_in(expression)
    return {label for metric in METRICS if metric.name in named for label in metric.labels}
