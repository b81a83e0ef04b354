"""The whole report on made-up returns: quiet where nothing changed, and right about what did."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from features.risk_model import ModelCard, RiskModel
from tests.support.drift import NO_LABELS, labels_of, live, random_checks
from tests.support.returns import made_up_returns
from training.drift import DriftReport, Window, compare, with_reference
from training.drift.compare import CHANCE, column_drift
from training.errors import TrainingError
from training.model import Fitted


def kinds(report: DriftReport) -> list[str]:
    return [alarm.kind for alarm in report.alarms]


def by_name(report: DriftReport, name: str) -> str:
    return next(f.strength for f in report.features if f.name == name)


class TestReference:
    def test_it_survives_the_card_and_stays_small(self, fitted: Fitted) -> None:
        text = fitted.card.model_dump_json()
        assert ModelCard.model_validate_json(text) == fitted.card
        assert fitted.card.usual is not None
        assert fitted.card.usual.rows == 8_000
        assert len(text) < 20_000
        found = made_up_returns(n=8_000, seed=77, shift=-3.5).y.mean()
        assert fitted.card.usual.expected["base_rate"] == pytest.approx(found, rel=0.25)

    def test_the_same_rows_give_the_same_bytes(self, fitted: Fitted) -> None:
        again = with_reference(fitted, made_up_returns(n=8_000, seed=77, shift=-3.5))
        assert again.card.model_dump_json() == fitted.card.model_dump_json()

    def test_no_returns_make_no_reference(self, fitted: Fitted) -> None:
        assert with_reference(fitted, made_up_returns(n=10).take(slice(0, 0))) is fitted

    def test_one_that_does_not_fit_the_features_is_refused(self, fitted: Fitted) -> None:
        card = json.loads(fitted.card.model_dump_json())
        card["usual"]["features"].pop()
        with pytest.raises(ValueError, match="does not describe as many columns"):
            ModelCard.model_validate(card)


class TestNoChange:
    def test_nothing_is_said_to_have_changed(self, model: RiskModel) -> None:
        window, rows = live()
        report = compare(model, "3", window, labels_of(rows))
        assert not report.alarm
        assert report.drifted == ()
        assert report.score is not None
        assert report.score.strength == "none"
        assert report.enough
        assert all(e.before is not None and 0.6 * e.before < e.value < 1.6 * e.before for e in report.performance)

    @pytest.mark.parametrize("n", [200, 1_000])
    def test_false_alarms_are_rare(self, model: RiskModel, n: int) -> None:
        usual = model.card.usual
        assert usual is not None
        drifted = 0
        for seed in range(25):
            X = live(n, seed=1_000 + seed)[0].X
            columns = [*zip(X.T, usual.features, strict=True), (model.risk(X), usual.risk)]
            drifts = [column_drift("", "", column, each, usual.rows, CHANCE / 8) for column, each in columns]
            drifted += any(drift.strength != "none" for drift in drifts)
        assert drifted <= 2  # one report of a hundred


class TestAChange:
    def test_one_feature_moves(self, model: RiskModel) -> None:
        def dearer(X: np.ndarray) -> None:
            X[:, 3] *= 3

        report = compare(model, "3", live(change=dearer)[0], NO_LABELS)
        assert [f.name for f in report.drifted] == ["request_value"]
        first = report.features[0]
        assert first.strength == "strong"
        assert first.move is not None
        assert first.move > 0.5
        assert first.median is not None
        assert first.median_before is not None
        assert first.median > 2.5 * first.median_before

    def test_a_feed_breaks_off(self, model: RiskModel) -> None:
        def without(X: np.ndarray) -> None:
            X[: len(X) // 2, 1] = np.nan

        report = compare(model, "3", live(change=without)[0], NO_LABELS)
        first = report.features[0]
        assert (first.name, first.strength) == ("customer_return_rate_90d", "strong")
        assert (first.missing_before, first.missing) == (0, 0.5)
        assert "features" in kinds(report)
        assert "customer_return_rate_90d" in report.verdict[0]

    def test_a_category_never_seen(self, model: RiskModel) -> None:
        def new_code(X: np.ndarray) -> None:
            X[::3, 4] = 7

        report = compare(model, "3", live(change=new_code)[0], NO_LABELS)
        first = report.features[0]
        assert first.name == "request_reason"
        assert first.unseen == pytest.approx(1 / 3, abs=0.01)
        assert first.bins == ("changed_mind", "size_fit", "not_received", "other", "missing")

    def test_what_does_not_matter_is_no_alarm(self, model: RiskModel) -> None:
        def moved(X: np.ndarray) -> None:
            X[:, 6] = 8.0

        report = compare(model, "3", live(change=moved)[0], NO_LABELS)
        assert by_name(report, "constant") == "strong"
        assert not report.alarm

    def test_risks_and_estimates_follow(self, model: RiskModel) -> None:
        """Nobody returns much any more: risks fall, and with them what the riskiest 2% are worth."""

        def harmless(X: np.ndarray) -> None:
            X[:, 1] *= 0.3
            X[:, 2] = 0

        report = compare(model, "3", live(change=harmless)[0], NO_LABELS)
        assert {"scores", "features", "performance"} <= set(kinds(report))
        assert report.mean_risk is not None
        assert report.mean_risk < 0.5 * model.base_rate


class TestLabels:
    def test_found_and_expected_agree_where_risks_are_right(self, model: RiskModel) -> None:
        window, rows = live(4_000)
        checked = compare(model, "3", window, labels_of(rows)).checked
        assert checked is not None
        assert (checked.returns, checked.found) == (4_000, rows.positives)
        assert abs(checked.deviations) < 4

    def test_and_do_not_where_they_are_not(self, model: RiskModel) -> None:
        window, rows = live(2_000)
        rows.y[:200] = 1
        report = compare(model, "3", window, labels_of(rows))
        assert report.checked is not None
        assert report.checked.deviations > 3
        assert any("do not rely on the estimates" in sentence for sentence in report.verdict)

    def test_labels_that_are_not_known_take_no_part(self, model: RiskModel) -> None:
        window, rows = live(400)
        rows.y[:] = np.nan
        assert compare(model, "3", window, labels_of(rows)).checked is None

    def test_a_rise_among_random_checks_is_an_alarm(self, model: RiskModel) -> None:
        window, _ = live(1_000)
        report = compare(model, "3", window, random_checks(0.02, 0.1))
        assert kinds(report) == ["random_checks"]
        assert "have risen" in report.verdict[0]
        assert kinds(compare(model, "3", window, random_checks(0.02, 0.02))) == []

    def test_other_checks_take_no_part(self, model: RiskModel) -> None:
        labels = random_checks(0.02, 0.1).assign(trigger="risk")
        assert compare(model, "3", live(300)[0], labels).random_checks is None

    def test_an_old_alarm_passes(self, model: RiskModel) -> None:
        labels = random_checks(0.0, 0.0)
        labels.loc[1_000:1_030, "label"] = 1.0
        report = compare(model, "3", live(300)[0], labels)
        assert report.random_checks is not None
        assert report.random_checks.alarms  # 200 days before the latest check
        assert kinds(report) == []
        longer = dataclasses.replace(live(300)[0], days=365)
        assert kinds(compare(model, "3", longer, labels)) == ["random_checks"]


class TestTooLittle:
    def test_few_assessments(self, model: RiskModel) -> None:
        report = compare(model, "3", live(199)[0], NO_LABELS)
        assert not report.alarm
        assert not report.enough
        assert report.features == ()
        assert report.performance == ()
        assert report.verdict[0].startswith("Too little is known")
        assert any("199 assessments in 30 days; at least 200" in sentence for sentence in report.verdict)

    def test_none_at_all(self, model: RiskModel) -> None:
        report = compare(model, "3", Window(np.empty((0, 7)), np.array([], dtype=object), 0, 0, 30, 0), NO_LABELS)
        assert not report.alarm
        assert report.to_json()["window"]["since"] == ""

    def test_a_model_without_a_reference(self, fitted: Fitted) -> None:
        card = json.loads(fitted.card.model_dump_json())
        del card["usual"]
        old = dataclasses.replace(fitted, card=ModelCard.model_validate(card)).load()
        report = compare(old, "3", live(500)[0], NO_LABELS)
        assert not report.enough
        assert any("keeps no reference" in sentence for sentence in report.verdict)

    def test_a_prior_says_so_and_has_no_rate_before(self, fitted: Fitted) -> None:
        prior = dataclasses.replace(fitted, card=fitted.card.model_copy(update={"prior": True})).load()
        window, rows = live(300)
        report = compare(prior, "3", window, labels_of(rows, "random"))
        assert report.random_checks is None
        assert "prior" in report.verdict[-1]

    def test_a_window_of_other_features(self, model: RiskModel) -> None:
        window = dataclasses.replace(live(300)[0], X=np.zeros((300, 3)))
        with pytest.raises(TrainingError, match="give 3 features, version 3 has 7"):
            compare(model, "3", window, NO_LABELS)

    def test_nothing_but_missing_values(self, model: RiskModel) -> None:
        window = dataclasses.replace(live(300)[0], X=np.full((300, 7), np.nan))
        report = compare(model, "3", window, NO_LABELS)
        assert len(report.drifted) == 7
        json.dumps(report.to_json(), allow_nan=False)


def test_the_json_holds_plain_values(model: RiskModel) -> None:
    window, rows = live(1_000)
    made = compare(model, "3", window, labels_of(rows, "random")).to_json()
    text = json.dumps(made, allow_nan=False)
    assert len(text) < 200_000
    assert made["metrics"]["alarm"] in (0.0, 1.0)
    assert made["metrics"]["estimated_precision_at_2"] > 0
    assert len(made["features"]) == 7
    assert json.loads(text)["random_checks"]["path"]
