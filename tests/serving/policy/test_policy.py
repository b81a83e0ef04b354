from __future__ import annotations

import itertools
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from serving.policy import policy as module
from serving.policy.policy import ACTIONS, Band, Kind, PolicyError, default_policy, load

CASES = list(itertools.product(get_args(Kind), get_args(Band), (True, False), (0, 1_999, 2_000, 15_000, 20_000, 10**9)))


def action(kind: str, band: str, sufficient: bool = True, value: int = 5_000) -> str:
    return default_policy().action(kind=kind, band=band, sufficient=sufficient, value_minor=value)


class TestDefault:
    def test_no_action_refuses(self) -> None:
        assert set(ACTIONS) == {"refund_now", "refund_on_scan", "inspect_before_refund", "staff_review"}
        assert {action(*case) for case in CASES} <= set(ACTIONS)

    @pytest.mark.parametrize(
        ("case", "expected"),
        [
            (("return", "low"), "refund_now"),
            (("return", "low", True, 15_000), "refund_on_scan"),
            (("return", "elevated", True, 1_999), "refund_on_scan"),
            (("return", "elevated", True, 2_000), "inspect_before_refund"),
            (("return", "high", True, 19_999), "inspect_before_refund"),
            (("return", "high", True, 20_000), "staff_review"),
            (("return", "high", False, 20_000), "inspect_before_refund"),
            (("claim", "low", True, 10**9), "refund_now"),
            (("claim", "elevated"), "staff_review"),
            (("claim", "high"), "staff_review"),
        ],
    )
    def test_decides(self, case: Any, expected: str) -> None:
        assert action(*case) == expected

    def test_more_risk_never_means_less_of_a_look(self) -> None:
        for kind, sufficient, value in itertools.product(get_args(Kind), (True, False), (0, 2_000, 15_000, 20_000)):
            ranks = [ACTIONS.index(action(kind, band, sufficient, value)) for band in ("low", "elevated", "high")]  # type: ignore[arg-type]
            assert ranks == sorted(ranks)


class TestLoad:
    def write(self, tmp_path: Path, **changes: Any) -> Path:
        text = module.FILE.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return path

    @pytest.mark.parametrize(
        ("old", "new", "cause"),
        [
            ('version = "2026-11"', "", "version"),
            ('action = "staff_review"', 'action = "refuse"', "action"),
            ('kind = "claim"\naction = "refund_now"', 'kind = "claim"\naction = "refund_on_scan"', "no goods"),
            ("sufficient = false\n", "sufficient = true\n", "goes beyond"),
            ('[[rules]]\naction = "refund_now"\n', "", "no rule fits"),
            ("staff_review = ", "# ", "notice"),
            ("random_rate = 0.01", "random_rate = 0.001", "checks.*odds must be 0 or at least"),
            ("random_rate = 0.01", "random_rate = 0.3", "checks.*uncertain_rate must not be less"),
            ("uncertain_from = 0.7", "uncertain_from = 1.7", "uncertain_from"),
            ("[rights]", "[rights", "policy.toml"),
            ("policy_days = 30", "policy_days = -1", "policy_days"),
            ("policy_days = 30", "refuse_after_days = 30", "refuse_after_days|policy_days"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, old: str, new: str, cause: str) -> None:
        with pytest.raises(PolicyError, match=cause):
            load(self.write(tmp_path, **{old: new}))

    def test_unchanged_it_loads(self, tmp_path: Path) -> None:
        assert load(self.write(tmp_path)) == default_policy()

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"nothing\.toml"):
            load(tmp_path / "nothing.toml")


def test_the_version_is_the_one_of_the_documents() -> None:
    assert tomllib.loads(module.FILE.read_text())["version"] == "2026-11"
