"""The model folder that training writes and serving reads: `booster.txt` and `model.json`, no pickled code.

    model = RiskModel.load(folder)
    risk = model.risk(X)                    # (n,) calibrated probability
    parts = model.contributions(X)          # (n, k) log-odds, LightGBM's own SHAP values

From a row to its risk: the booster's raw score, the calibration (`Calibration`), and for a thin history a pull to the
base rate and a cap (`ThinHistory`). All three are inside `RiskModel.risk`, so that the API, `returnwise score` and
`mlflow.pyfunc` agree to the last bit, for one row and for many.
"""

from __future__ import annotations

import ctypes
import logging
import math
import threading
import weakref
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, Self

import lightgbm
import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from features.errors import ReturnwiseError
from features.reference import ReferenceSample

Floats = NDArray[np.float64]
Band = Literal["low", "elevated", "high"]

BOOSTER_FILE: Final = "booster.txt"
CARD_FILE: Final = "model.json"
THIN_FEATURE: Final = "customer_orders_lifetime"

_log = logging.getLogger(__name__)


class ModelError(ReturnwiseError):
    """A model folder that cannot be used, or rows that do not fit the model. The message names the place."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FeatureSpec(_Part):
    """One column of the matrix, in its order. `categories` are the words whose positions are the codes, -1 unknown."""

    name: str
    categories: tuple[str, ...] | None = None
    family: str = ""


class Calibration(_Part):
    """From raw score to calibrated log-odds: linear between knots, the outer pieces continued.

    With two knots it is a sigmoid (Platt) calibration; with more, a smoothed isotonic one. Both rise strictly, so the
    order of the returns is the booster's.
    """

    method: Literal["sigmoid", "isotonic"]
    raw: tuple[float, ...] = Field(min_length=2)
    log_odds: tuple[float, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.raw) != len(self.log_odds):
            raise ValueError("raw and log_odds must have the same length")
        for knots in (self.raw, self.log_odds):
            if not all(math.isfinite(a) for a in knots) or any(b <= a for a, b in pairwise(knots)):
                raise ValueError("the knots of a calibration must be finite and rise")
        return self


class ThinHistory(_Part):
    """What happens below `orders` earlier orders (`feature`): the fewer, the closer to the base rate; at most `cap`
    times the base rate."""

    feature: str = THIN_FEATURE
    orders: int = Field(default=3, ge=1)
    cap: float = Field(default=2.0, ge=1.0)


class Bands(_Part):
    """Risks from which a return counts as elevated and as high."""

    elevated: float = Field(gt=0, lt=1)
    high: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high < self.elevated:
            raise ValueError("the high band starts at or above the elevated band")
        return self


class Reference(_Part):
    """What is usual for one feature in the training data: median, 5th and 95th percentile of known values, and the
    share of returns of which it is known."""

    median: float
    p05: float
    p95: float
    known: float = Field(default=1.0, ge=0, le=1)

    @property
    def typical(self) -> float:
        """The median, or NaN where most returns have no value (days since something that never happened)."""
        return self.median if self.known >= 0.5 else math.nan


class ModelCard(_Part):
    """`model.json`: everything about a model but its trees.

    `prior` marks a model that was not learned from findings (too few of them) but from written weights.
    `data` identifies the ledger state it was trained on; `metrics` are those of the test period, if there was one.
    `usual` says where values and risks lay when it was trained, for `returnwise drift`; older cards have none.
    """

    format: Literal[1] = 1
    name: str = "returnwise-risk"
    feature_service: str
    features: tuple[FeatureSpec, ...] = Field(min_length=1)
    calibration: Calibration
    base_rate: float = Field(gt=0, lt=1)
    thin_history: ThinHistory | None = None
    bands: Bands
    reference: dict[str, Reference]
    reasons_version: str = ""
    trained_until: str = ""
    prior: bool = False
    data: dict[str, int | str] = {}
    metrics: dict[str, float] = {}
    usual: ReferenceSample | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [f.name for f in self.features]
        if len(set(names)) != len(names):
            raise ValueError("a feature is listed twice")
        if self.thin_history is not None and self.thin_history.feature not in names:
            raise ValueError(f"thin_history names {self.thin_history.feature!r}, which is not a feature of the model")
        if self.usual is not None and len(self.usual.features) != len(names):
            raise ValueError("`usual` does not describe as many columns as there are features")
        return self


def write_model(folder: Path, booster_text: str, card: ModelCard) -> None:
    """Write a model folder. The same booster and card give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BOOSTER_FILE).write_text(booster_text, encoding="utf-8")
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")


def log_odds(probability: float) -> float:
    """Natural log of the odds.

    >>> log_odds(0.5)
    0.0
    """
    return math.log(probability) - math.log1p(-probability)


def probabilities(log_odds: Floats) -> Floats:
    """Probabilities of log-odds, any shape. Taken one by one through the C library's `exp`, because vectorised
    versions may round the last bit differently for one row than for many.

    >>> probabilities(np.array([0.0])).tolist()
    [0.5]
    """
    return np.array([_probability(v) for v in log_odds.ravel().tolist()], dtype=np.float64).reshape(log_odds.shape)


def _probability(v: float) -> float:
    if v >= 0:
        return 1.0 / (1.0 + math.exp(-v))
    e = math.exp(v)
    return e / (1.0 + e)


class Calibrator:
    """A `Calibration`, made ready for arrays."""

    def __init__(self, calibration: Calibration) -> None:
        self._x = np.array(calibration.raw, dtype=np.float64)
        self._y = np.array(calibration.log_odds, dtype=np.float64)
        self._slope = np.diff(self._y) / np.diff(self._x)
        self._lists: tuple[list[float], ...] = (self._x.tolist(), self._y.tolist(), self._slope.tolist())

    def log_odds(self, raw: Floats) -> Floats:
        """Calibrated log-odds of raw scores, same shape."""
        piece = np.clip(np.searchsorted(self._x, raw, side="right") - 1, 0, len(self._slope) - 1)
        return np.asarray(self._y[piece] + self._slope[piece] * (raw - self._x[piece]), dtype=np.float64)

    def log_odds_of_one(self, raw: float) -> float:
        """The same for one score."""
        x, y, slope = self._lists
        piece = min(max(bisect_right(x, raw) - 1, 0), len(slope) - 1)
        return y[piece] + slope[piece] * (raw - x[piece])


class RiskModel:
    """A loaded model. Reading it from several threads is safe; it never changes after loading."""

    def __init__(self, booster: lightgbm.Booster, card: ModelCard) -> None:
        self.card = card
        self.features: tuple[str, ...] = tuple(f.name for f in card.features)
        self.base_rate = card.base_rate
        if tuple(booster.feature_name()) != self.features:
            raise ModelError(f"{BOOSTER_FILE} and {CARD_FILE} do not name the same features in the same order")
        self._booster = booster
        self._calibrator = Calibrator(card.calibration)
        self._base_log_odds = log_odds(card.base_rate)
        self._thin_column = -1 if card.thin_history is None else self.features.index(card.thin_history.feature)
        rows = self._reference_rows()
        both = self._many(rows, raw_score=True), self._many(rows, pred_contrib=True)
        self.bias = float(both[1][0, -1])
        self._single = _single_row(booster, len(self.features))
        if self._single is not None and not self._agrees(rows, *both):
            _log.warning(
                "LightGBM's single-row calls do not give the bits of its batch calls; going on with batch calls"
            )
            self._single = None

    @classmethod
    def load(cls, folder: Path | str) -> RiskModel:
        """Read a model folder. Raises `ModelError` if a file is missing or the two do not fit together."""
        folder = Path(folder)
        try:
            text = (folder / BOOSTER_FILE).read_text(encoding="utf-8")
            card = ModelCard.model_validate_json((folder / CARD_FILE).read_text(encoding="utf-8"))
            return cls(lightgbm.Booster(model_str=text), card)
        except OSError as e:
            raise ModelError(
                f"cannot read the model folder {folder}: {e.strerror}: {Path(e.filename or folder).name}"
            ) from e
        except ValidationError as e:
            first = e.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise ModelError(f"{folder / CARD_FILE} is not a model card: {place}: {first['msg']}") from e
        except lightgbm.basic.LightGBMError as e:
            raise ModelError(f"{folder / BOOSTER_FILE} is not a LightGBM model: {e}") from e

    @property
    def fast(self) -> bool:
        """Whether single rows take LightGBM's prepared single-row calls (the same bits, less overhead)."""
        return self._single is not None

    def risk(self, X: ArrayLike) -> Floats:
        """Calibrated probability that a careful inspection would confirm abuse. (n, k) float64 -> (n,)."""
        rows = self._rows(X)
        return self.risk_of_raw(self._raw(rows), self._orders(rows))

    def raw(self, X: ArrayLike) -> Floats:
        """The booster's own score, before calibration. (n, k) -> (n,) log-odds."""
        return self._raw(self._rows(X))

    def risk_of_one(self, row: Floats) -> float:
        """`risk` of a single row (1, k), to the last bit; plain floats are quicker than arrays of one."""
        raw = float(self._raw(row)[0])
        odds = self._calibrator.log_odds_of_one(raw)
        thin = self.card.thin_history
        if thin is None:
            return _probability(odds)
        orders = float(row[0, self._thin_column])
        weight = 0.0 if orders != orders else min(max(orders / thin.orders, 0.0), 1.0)
        if weight < 1.0:
            risk = _probability(self._base_log_odds + weight * (odds - self._base_log_odds))
            return min(risk, thin.cap * self.base_rate)
        return _probability(odds)

    def contributions(self, X: ArrayLike) -> Floats:
        """What each feature adds to the raw score: (n, k) -> (n, k) log-odds; with `bias` a row sums to it."""
        rows = self._rows(X)
        if len(rows) == 1 and self._single is not None:
            return self._single.contributions(rows)[:, :-1]
        return self._many(rows, pred_contrib=True)[:, :-1]

    def thin(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Which rows have too short a history for a risk of their own. (n, k) -> (n,)."""
        orders = self._orders(self._rows(X))
        if self.card.thin_history is None or orders is None:
            return np.zeros(len(self._rows(X)), dtype=np.bool_)
        return np.asarray(orders < self.card.thin_history.orders, dtype=np.bool_)

    def band(self, risk: float) -> Band:
        """The risk band of a risk."""
        bands = self.card.bands
        return "high" if risk >= bands.high else "elevated" if risk >= bands.elevated else "low"

    def risk_of_raw(self, raw: Floats, orders: Floats | None) -> Floats:
        """Risk of raw scores (n,) and of the earlier orders behind each (n,), or None without a thin-history rule."""
        odds = self._calibrator.log_odds(raw)
        thin = self.card.thin_history
        if thin is None or orders is None:
            return probabilities(odds)
        weight = np.clip(orders / thin.orders, 0.0, 1.0)
        risk = probabilities(np.where(weight < 1.0, self._base_log_odds + weight * (odds - self._base_log_odds), odds))
        return np.where(weight < 1.0, np.minimum(risk, thin.cap * self.base_rate), risk)

    def _rows(self, X: ArrayLike) -> Floats:
        rows = np.ascontiguousarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise ModelError(f"rows of {len(self.features)} features expected, got an array of shape {rows.shape}")
        return rows

    def _orders(self, rows: Floats) -> Floats | None:
        return None if self._thin_column < 0 else np.nan_to_num(rows[:, self._thin_column], nan=0.0)

    def _raw(self, rows: Floats) -> Floats:
        if len(rows) == 1 and self._single is not None:
            return self._single.raw(rows)
        return self._many(rows, raw_score=True)

    def _many(self, rows: Floats, **kind: bool) -> Floats:
        if not len(rows):
            return np.empty((0, len(self.features) + 1) if kind.get("pred_contrib") else 0, dtype=np.float64)
        threads = 1 if len(rows) < 5_000 else 0  # beside other work threads cost more than a few rows do
        return np.asarray(self._booster.predict(rows, num_threads=threads, **kind), dtype=np.float64)

    def _reference_rows(self) -> Floats:
        usual = [self.card.reference.get(name, Reference(median=0, p05=0, p95=0)) for name in self.features]
        return np.array([[r.median for r in usual], [r.p05 for r in usual], [r.p95 for r in usual]], dtype=np.float64)

    def _agrees(self, rows: Floats, raw: Floats, contributions: Floats) -> bool:
        single = self._single
        return single is not None and all(
            np.array_equal(single.raw(row), raw[i : i + 1])
            and np.array_equal(single.contributions(row), contributions[i : i + 1])
            for i, row in ((i, rows[i : i + 1]) for i in range(len(rows)))
        )


class _SingleRow:
    """LightGBM's C calls for one row at a time, prepared once (`LGBM_BoosterPredictForMatSingleRowFast`).

    The prepared calls skip the parsing of parameters and the allocations of `Booster.predict`, about 16 microseconds
    each. One output buffer per instance, therefore the lock.
    """

    def __init__(self, booster: lightgbm.Booster, columns: int) -> None:
        basic: Any = lightgbm.basic
        self._booster = booster  # the prepared calls point into it
        self._columns = columns
        self._check: Any = basic._safe_call
        self._call: Any = basic._LIB.LGBM_BoosterPredictForMatSingleRowFast
        self._lock = threading.Lock()
        self._out = np.empty(columns + 1, dtype=np.float64)
        self._out_pointer = self._out.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        self._length = ctypes.c_int64()
        self._raw_handle = self._prepare(basic._C_API_PREDICT_RAW_SCORE)
        self._contributions_handle = self._prepare(basic._C_API_PREDICT_CONTRIB)

    def _prepare(self, kind: int) -> ctypes.c_void_p:
        basic: Any = lightgbm.basic
        handle = ctypes.c_void_p()
        self._check(
            basic._LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster._handle,
                ctypes.c_int(kind),
                ctypes.c_int(0),  # from the first tree
                ctypes.c_int(-1),  # to the last
                ctypes.c_int(basic._C_API_DTYPE_FLOAT64),
                ctypes.c_int32(self._columns),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(handle),
            )
        )
        weakref.finalize(self, basic._LIB.LGBM_FastConfigFree, handle)
        return handle

    def _predict(self, handle: ctypes.c_void_p, row: Floats, length: int) -> Floats:
        with self._lock:
            self._check(
                self._call(handle, ctypes.c_void_p(row.ctypes.data), ctypes.byref(self._length), self._out_pointer)
            )
            return self._out[:length].copy()

    def raw(self, row: Floats) -> Floats:
        """(1, k) contiguous -> (1,)."""
        return self._predict(self._raw_handle, row, 1)

    def contributions(self, row: Floats) -> Floats:
        """(1, k) contiguous -> (1, k + 1); the last is the bias."""
        return self._predict(self._contributions_handle, row, self._columns + 1).reshape(1, -1)


def _single_row(booster: lightgbm.Booster, columns: int) -> _SingleRow | None:
    """The prepared calls, or None, said in the log, where this LightGBM has none."""
    try:
        return _SingleRow(booster, columns)
    except AttributeError as e:
        _log.warning("LightGBM %s has no single-row calls (%s); going on with batch calls", lightgbm.__version__, e)
        return None
