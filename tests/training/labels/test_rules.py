"""What counts as abuse found, as none found, and as unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.ledger.vocabulary import ABUSE_TYPES, CONCERN_FINDINGS
from training.labels import COLUMNS, label_returns
from training.labels.rules import FOUND_KIND

INSPECTION = ["return_id", "line_id", "finding", "trigger", "propensity", "recorded_at"]
VERDICT = ["return_id", "verdict", "basis", "abuse_type", "recorded_at"]


def one(findings: list[tuple[str, str]] = [], verdicts: list[tuple[str, str | None]] = []) -> pd.Series:  # noqa: B006
    """The label of one return; findings are (line, finding) and verdicts (verdict, basis), in order of time."""
    inspections = pd.DataFrame(
        [("r", line, finding, "risk", 0.5, 100 + i) for i, (line, finding) in enumerate(findings)], columns=INSPECTION
    )
    decided = pd.DataFrame(
        [("r", verdict, basis, None, 200 + i) for i, (verdict, basis) in enumerate(verdicts)], columns=VERDICT
    )
    labels = label_returns(inspections, decided)
    assert tuple(labels.columns) == COLUMNS
    assert len(labels) == 1
    return labels.iloc[0]


@pytest.mark.parametrize(
    ("findings", "verdicts", "label", "strength", "known_at"),
    [
        ([("", "worn")], [], 1, "finding", 100),
        ([("", "delivery_shown")], [], 1, "finding", 100),
        ([("", "as_described")], [], 0, "finding", 100),
        ([("", "not_arrived")], [], 0, "finding", 100),
        ([("", "damaged")], [], np.nan, "finding", None),
        ([("a", "as_described"), ("b", "counterfeit"), ("b", "wrong_item")], [], 1, "finding", 102),
        ([("", "worn"), ("", "as_described")], [], 0, "finding", 101),
        ([("a", "worn"), ("b", "as_described")], [], 1, "finding", 100),
        ([("a", "as_described"), ("b", "as_described")], [], 0, "finding", 101),
        ([], [("abuse_confirmed", "inspection")], 1, "verdict", 200),
        ([], [("abuse_confirmed", "carrier_trace")], 1, "verdict", 200),
        ([], [("abuse_confirmed", "admission")], 1, "verdict", 200),
        ([], [("abuse_confirmed", "opinion")], np.nan, "finding", 200),
        ([], [("abuse_confirmed", "policy")], np.nan, "finding", 200),
        ([], [("abuse_confirmed", None)], np.nan, "finding", 200),
        ([], [("cleared", None)], 0, "verdict", 200),
        ([], [("cleared", "inspection")], 0, "verdict", 200),
        ([], [("cleared", "policy")], np.nan, "finding", 200),
        ([("", "worn")], [("cleared", "inspection")], 0, "verdict", 200),
        ([("", "as_described")], [("abuse_confirmed", "admission")], 1, "verdict", 200),
        ([("", "worn")], [("inconclusive", None)], np.nan, "verdict", 200),
        ([("", "worn")], [("abuse_confirmed", "opinion")], 1, "finding", 100),
        ([("", "as_described")], [("abuse_confirmed", "opinion")], np.nan, "finding", 200),
        ([("", "as_described")], [("cleared", "opinion")], 0, "finding", 100),
        ([], [("abuse_confirmed", "inspection"), ("cleared", "inspection")], 0, "verdict", 201),
        ([], [("cleared", None), ("abuse_confirmed", "admission")], 1, "verdict", 201),
    ],
)
def test_labels(
    findings: list[tuple[str, str]],
    verdicts: list[tuple[str, str | None]],
    label: float,
    strength: str,
    known_at: int | None,
) -> None:
    got = one(findings, verdicts)
    assert got["label"] == label or (np.isnan(got["label"]) and np.isnan(label))
    assert got["strength"] == strength
    if known_at is not None:
        assert got["known_at"] == known_at


def test_the_odds_are_those_of_the_first_inspection() -> None:
    inspections = pd.DataFrame(
        [
            ("b", "", "as_described", "random", 0.02, 1),
            ("b", "", "worn", "risk", 0.9, 2),
            ("a", "", "worn", None, np.nan, 3),
        ],
        columns=INSPECTION,
    )
    labels = label_returns(inspections, pd.DataFrame(columns=VERDICT))
    assert labels["return_id"].tolist() == ["a", "b"]
    assert labels["trigger"].tolist() == [None, "random"]
    assert np.isnan(labels["propensity"][0])
    assert labels["propensity"][1] == 0.02


def test_nothing_was_looked_at() -> None:
    labels = label_returns(pd.DataFrame(columns=INSPECTION), pd.DataFrame(columns=VERDICT))
    assert tuple(labels.columns) == COLUMNS
    assert labels.empty


@pytest.mark.parametrize(
    ("finding", "verdict", "kind"),
    [
        ("worn", None, "wardrobing"),
        ("delivery_shown", None, "false_claim"),
        ("empty_package", ("abuse_confirmed", "inspection", "fake_tracking"), "fake_tracking"),
        ("empty_package", ("abuse_confirmed", "inspection", None), "empty_parcel"),
        ("worn", ("cleared", "inspection", None), None),
        ("as_described", None, None),
    ],
)
def test_the_kind_is_the_verdicts_or_what_was_found(
    finding: str, verdict: tuple[str, str, str | None] | None, kind: str | None
) -> None:
    inspections = pd.DataFrame([("r", "", finding, "risk", 0.5, 100)], columns=INSPECTION)
    decided = pd.DataFrame([("r", *verdict, 200)] if verdict else [], columns=VERDICT)
    got = label_returns(inspections, decided)["abuse_type"][0]
    assert got == kind or (kind is None and pd.isna(got))


def test_every_finding_of_concern_speaks_for_a_kind() -> None:
    assert set(FOUND_KIND) == set(CONCERN_FINDINGS)
    assert set(FOUND_KIND.values()) <= set(ABUSE_TYPES)
