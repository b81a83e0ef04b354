"""What the gate leaves in its run: the table of its checks as a page, as Markdown, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

from training.evaluation.card import Card, Part, html, markdown
from training.evaluation.sections import part_of
from training.evaluation.tables import Cell, Column, Table
from training.gate.judge import GateReport
from training.registry.tracking import MODEL_NAME
from training.section import Section


def files(report: GateReport, facts: Mapping[str, str]) -> dict[str, str]:
    """Text by name of file. `facts` are who decided what, and when."""
    card = _card(report, facts)
    return {"gate.html": html(card), "gate.md": markdown(card), "gate.json": _plain(report, facts)}


def _card(report: GateReport, facts: Mapping[str, str]) -> Card:
    rows: list[dict[str, Cell]] = [
        {"check": check.name, "state": check.state, "what": check.text, "strong": check.failed}
        for check in report.checks
    ]
    columns = (Column("check", "check"), Column("state", "state"), Column("what", "what was measured"))
    failed = ", ".join(check.name for check in report.failed)
    return Card(
        title=f"Gate: {MODEL_NAME} version {report.version}",
        summary=f"Fails: {failed}." if failed else "No check speaks against it.",
        facts=tuple((name.replace("_", " "), value) for name, value in facts.items() if value),
        before=(Part("Checks", tables=(Table("gate", "What promoting asks of a version", columns, tuple(rows)),)),),
        after=(Part("Bounds", points=tuple(f"{k}: {v:g}" for k, v in report.bounds.model_dump().items())),),
        reasons=_tables(report.reasons.section()),
        fairness=_tables(report.fairness.section()) if report.fairness else None,
    )


def _tables(section: Section) -> Part:
    """A section without its pictures: those of the model are in the card of its training run."""
    return part_of(replace(section, figures={}))


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
