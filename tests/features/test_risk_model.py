"""The model folder: written and read without pickles, one row and many rows with the same bits."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import lightgbm
import numpy as np
import pytest

import features.risk_model as risk_model
from features.risk_model import Calibration, Calibrator, ModelError, RiskModel, log_odds, probabilities
from tests.support.models import NAMES, made_up_rows, make_model_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(folder: Path) -> RiskModel:
    return RiskModel.load(folder)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return made_up_rows(NAMES, rows=600, seed=11)[0]


def edit(folder: Path, out: Path, **changes: object) -> Path:
    card = json.loads((folder / "model.json").read_text())
    card.update(changes)
    out.mkdir()
    (out / "model.json").write_text(json.dumps(card))
    (out / "booster.txt").write_text((folder / "booster.txt").read_text())
    return out


def test_the_folder_holds_text_only(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == ["booster.txt", "model.json"]
    assert json.loads((folder / "model.json").read_text())["feature_service"] == "returns_v1"
    assert (folder / "booster.txt").read_text().startswith("tree")


def test_one_row_has_the_bits_of_many(model: RiskModel, rows: np.ndarray) -> None:
    assert model.fast
    risk, parts = model.risk(rows), model.contributions(rows)
    assert len(np.unique(risk)) > 100
    for i in range(len(rows)):
        one = rows[i : i + 1]
        assert model.risk(one).tobytes() == risk[i : i + 1].tobytes()
        assert model.contributions(one).tobytes() == parts[i : i + 1].tobytes()


def test_plain_floats_have_the_bits_of_arrays(model: RiskModel, rows: np.ndarray) -> None:
    column = NAMES.index("customer_orders_lifetime")
    rows = np.repeat(rows[:200], 5, axis=0)
    rows[:, column] = np.tile((0, 1, 2.5, np.nan, 50), 200)
    singly = [model.risk_of_one(rows[i : i + 1]) for i in range(len(rows))]
    assert singly == model.risk(rows).tolist()
    assert len(set(singly)) > 300
    without = RiskModel(model._booster, model.card.model_copy(update={"thin_history": None}))
    assert [without.risk_of_one(rows[i : i + 1]) for i in range(20)] == without.risk(rows[:20]).tolist()


def test_layout_and_chunks_do_not_change_bits(model: RiskModel, rows: np.ndarray) -> None:
    risk = model.risk(rows)
    assert np.array_equal(model.risk(np.asfortranarray(rows)), risk)
    assert np.array_equal(model.risk(np.repeat(rows, 2, axis=1)[:, ::2]), risk)
    assert np.array_equal(np.concatenate([model.risk(rows[:63]), model.risk(rows[63:])]), risk)


def test_the_slow_way_gives_the_same(
    folder: Path, rows: np.ndarray, model: RiskModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without(*_: object) -> None:
        raise AttributeError("LGBM_BoosterPredictForMatSingleRowFastInit")

    monkeypatch.setattr(risk_model._SingleRow, "_prepare", without)
    with caplog.at_level(logging.WARNING):
        slow = RiskModel.load(folder)
    assert not slow.fast
    assert "no single-row calls" in caplog.text
    assert slow.risk(rows[:1]).tobytes() == model.risk(rows[:1]).tobytes()
    assert slow.contributions(rows[:1]).tobytes() == model.contributions(rows[:1]).tobytes()


def test_single_row_calls_that_differ_are_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(risk_model._SingleRow, "raw", lambda self, row: np.array([1.5]))
    with caplog.at_level(logging.WARNING):
        assert not RiskModel.load(folder).fast
    assert "do not give the bits" in caplog.text


def test_contributions_are_lightgbms_and_sum_to_the_raw_score(folder: Path, model: RiskModel, rows: np.ndarray) -> None:
    booster = lightgbm.Booster(model_file=str(folder / "booster.txt"))
    expected = booster.predict(rows, pred_contrib=True)
    assert np.array_equal(model.contributions(rows), expected[:, :-1])
    assert model.bias == expected[0, -1]
    assert np.allclose(model.contributions(rows).sum(axis=1) + model.bias, model.raw(rows), atol=1e-9)


def test_calibration_is_applied_to_the_raw_score(model: RiskModel, rows: np.ndarray) -> None:
    enough = rows[~model.thin(rows)]
    expected = 1 / (1 + np.exp(-(-6 + (model.raw(enough) + 4) * 7 / 8)))
    assert len(enough) > 100
    assert np.allclose(model.risk(enough), expected, rtol=1e-12)


def test_a_thin_history_stays_near_the_base_rate(model: RiskModel, rows: np.ndarray) -> None:
    column = NAMES.index("customer_orders_lifetime")
    risky = np.tile(rows[np.argmax(model.raw(rows))], (5, 1))
    risky[:, column] = (0, 1, 2, np.nan, 50)
    risk = model.risk(risky)
    assert model.thin(risky).tolist() == [True, True, True, True, False]
    assert risk[0] == pytest.approx(model.base_rate)
    assert risk[3] == risk[0]
    assert risk[0] < risk[1] <= risk[2] <= 2 * model.base_rate
    assert risk[4] > 2 * model.base_rate
    assert model.risk(risky[1:2]).tobytes() == risk[1:2].tobytes()


def test_a_thin_history_is_pulled_up_as_well_as_down(model: RiskModel, rows: np.ndarray) -> None:
    calm = rows[[np.argmin(model.raw(rows))]].copy()
    calm[:, 0] = 50
    low = model.risk(calm)[0]
    calm[:, 0] = 0
    assert low < model.risk(calm)[0] == pytest.approx(model.base_rate)


def test_bands(model: RiskModel) -> None:
    bands = [model.band(r) for r in (0.0, 0.0599, 0.06, 0.1199, 0.12, 1.0)]
    assert bands == ["low", "low", "elevated", "elevated", "high", "high"]


def test_no_rows_and_wrong_shapes(model: RiskModel) -> None:
    assert model.risk(np.empty((0, 5))).shape == (0,)
    assert model.contributions(np.empty((0, 5))).shape == (0, 5)
    for bad in (np.zeros(5), np.zeros((1, 4)), np.zeros((2, 6))):
        with pytest.raises(ModelError, match="rows of 5 features expected"):
            model.risk(bad)


def test_threads_do_not_disturb_each_other(model: RiskModel, rows: np.ndarray) -> None:
    expected = model.contributions(rows)
    wrong: list[int] = []

    def read(start: int) -> None:
        mine = range(start, len(rows), 4)
        wrong.extend(i for i in mine if not np.array_equal(model.contributions(rows[i : i + 1]), expected[i : i + 1]))

    threads = [threading.Thread(target=read, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format"),
        ({"base_rate": 0.0}, "base_rate"),
        ({"bands": {"elevated": 0.2, "high": 0.1}}, "high band"),
        ({"calibration": {"method": "sigmoid", "raw": [0, 1], "log_odds": [1, 0]}}, "rise"),
        ({"thin_history": {"feature": "nobody_knows", "orders": 3}}, "nobody_knows"),
        ({"features": [{"name": "x"}, {"name": "x"}], "thin_history": None}, "twice"),
        ({"features": [{"name": n} for n in reversed(NAMES)]}, "do not name the same features"),
    ],
)
def test_a_card_that_does_not_fit(folder: Path, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        RiskModel.load(edit(folder, tmp_path / "edited", **changes))


def test_files_missing_or_broken(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"booster\.txt"):
        RiskModel.load(tmp_path)
    broken = edit(folder, tmp_path / "broken")
    (broken / "booster.txt").write_text("no trees here")
    with pytest.raises(ModelError, match="not a LightGBM model"):
        RiskModel.load(broken)
    (broken / "model.json").write_text("{")
    with pytest.raises(ModelError, match="not a model card"):
        RiskModel.load(broken)


def test_calibrator_continues_its_outer_pieces() -> None:
    calibrator = Calibrator(Calibration(method="isotonic", raw=(-1.0, 0.0, 2.0), log_odds=(-5.0, -3.0, 1.0)))
    got = calibrator.log_odds(np.array([-2.0, -1.0, -0.5, 0.0, 1.0, 2.0, 3.0]))
    assert got.tolist() == [-7.0, -5.0, -4.0, -3.0, -1.0, 1.0, 3.0]


def test_probabilities_do_not_overflow() -> None:
    assert probabilities(np.array([-1e9, 0.0, 1e9])).tolist() == [0.0, 0.5, 1.0]
    assert probabilities(np.array([log_odds(0.03)]))[0] == pytest.approx(0.03, rel=1e-14)
