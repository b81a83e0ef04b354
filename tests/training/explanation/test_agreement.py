"""Do the reasons fit the kind of abuse?"""

from __future__ import annotations

import numpy as np
import pytest

from features.ledger.vocabulary import ABUSE_TYPES
from features.reasons import CODES
from training.explanation.agreement import agreement, fits, right_reasons


def told(*codes: str) -> list[int]:
    return [CODES.index(code) for code in codes] + [-1] * (4 - len(codes))


def test_every_kind_has_its_reasons() -> None:
    kinds = right_reasons()
    assert set(kinds) == set(ABUSE_TYPES) - {"other"}
    for kind, entry in kinds.items():
        assert len(set(entry.codes)) == len(entry.codes) <= 6, kind
        assert all(code in entry.because for code in entry.codes), kind


def test_no_reason_fits_every_kind() -> None:
    kinds = right_reasons()
    for code in set(CODES) - {"R01"}:
        assert sum(code in entry.codes for entry in kinds.values()) <= len(kinds) / 2, code


def test_a_right_reason_among_the_first_three() -> None:
    reasons = np.array([told("R10", "R11", "R03"), told("R10", "R11", "R14", "R03"), told("R10")])
    never = np.zeros(3, dtype=bool)
    assert fits("false_claim", reasons, never).tolist() == [True, False, False]
    assert fits("account_ring", reasons, never).tolist() == [False, False, False]


def test_earlier_findings_count_only_where_there_were_some() -> None:
    reasons = np.array([told("R01"), told("R01")])
    assert fits("receipt_trick", reasons, np.array([True, False])).tolist() == [True, False]


def test_shares_by_kind_and_by_chance() -> None:
    reasons = np.array([told("R03"), told("R03"), told("R08"), told("R11"), told("R03"), told("R03")])
    kinds = np.array(["false_claim", "false_claim", "false_claim", "wardrobing", None, "other"], dtype=object)
    table = agreement(kinds, reasons, np.zeros(6, dtype=bool))
    assert table.loc["false_claim"].tolist() == [3, 1.0, 0.0]
    assert table.loc["wardrobing"].tolist() == [1, 1.0, 0.0]
    assert table.loc["all"].tolist() == [4, 1.0, 0.0]


def test_what_was_done_may_fit_where_the_kind_does_not() -> None:
    reasons = np.array([told("R03"), told("R08"), told("R14")])
    kinds = np.array(["account_ring"] * 3, dtype=object)
    acts = np.array(["false_claim", "false_claim", "fake_tracking"], dtype=object)
    table = agreement(kinds, reasons, np.zeros(3, dtype=bool), acts)
    assert table.loc["account_ring", "fits"] == pytest.approx(1 / 3)
    assert table.loc["account_ring", "fits_act"] == pytest.approx(2 / 3)
    assert np.isnan(table.loc["account_ring", "by_chance"])


def test_no_abuse_known() -> None:
    table = agreement(np.array([None, None], dtype=object), np.array([told("R03")] * 2), np.zeros(2, dtype=bool))
    assert table.loc["all", "n"] == 0
    assert np.isnan(table.loc["all", "fits"])
