"""What the gate leaves in its run: the table of its checks as a page, as Markdown, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from training.evaluation.card import Card, Part, html, markdown
from training.evaluation.sections import part_of
from training.evaluation.tables import Column, Table
from training.gate.judge import GateReport
from training.registry.tracking import MODEL_NAME


def files(report: GateReport, facts: Mapping[str, str]) -> dict[str, str]:
    """Text by name of file. `facts` are who decided what, and when."""
    card = _card(report, facts)
    return {"gate.html": html(card), "gate.md": markdown(card), "gate.json": _plain(report, facts)}


def _card(report: GateReport, facts: Mapping[str, str]) -> Card:
    rows = tuple({"check": c.name, "state": c.state, "what": c.text, "strong": c.failed} for c in report.checks)
    columns = (Column("check", "check"), Column("state", "state"), Column("what", "what was measured"))
    failed = ", ".join(check.name for check in report.failed)
    return Card(
        title=f"Gate: {MODEL_NAME} version {report.version}",
        summary=f"Fails: {failed}." if failed else "No check speaks against it.",
        facts=tuple((name.replace("_", " "), value) for name, value in facts.items() if value),
        before=(Part("Checks", tables=(Table("gate", "What `promote` asks of a version", columns, rows),)),),
        after=(Part("Bounds", points=tuple(f"{k}: {v:g}" for k, v in report.bounds.model_dump().items())),),
        reasons=part_of(report.reasons.section()),
        fairness=part_of(report.fairness.section()) if report.fairness else None,
    )


def _plain(report: GateReport, facts: Mapping[str, str]) -> str:
    checks = {
        check.name: {
            "state": check.state,
            "sentences": list(check.sentences),
            "figures": {k: v if math.isfinite(v) else None for k, v in check.figures.items()},
        }
        for check in report.checks
    }
    content = {
        "version": report.version,
        "champion": report.champion,
        "prior": report.prior,
        "facts": dict(facts),
        "data": report.data.tags(),
        "bounds": report.bounds.model_dump(),
        "checks": checks,
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
