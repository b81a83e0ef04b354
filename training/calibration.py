"""From raw scores to probabilities, on later returns than the trees saw.

With few positives a sigmoid (Platt, 1999, with his smoothed targets): two numbers. With many an isotonic fit, made
strictly rising and continuous by joining the centres of its bins with straight lines in log-odds.

A handful of findings says little about either number. Trees that were fitted to the log loss come out about right in
slope, so the slope is drawn to one, as a normal prior would. The level is taken from all earlier labels (`at_level`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from features.risk_model import Calibration, Calibrator, log_odds, probabilities
from training.labels import effective_size

Floats = npt.NDArray[np.float64]

#: Effective number of positives (weights counted by Kish) from which an isotonic fit is worth its variance.
ISOTONIC_FROM: Final = 500
#: Effective number of positives from which the calibration stretch decides the level by itself.
LEVEL_FROM: Final = 200
#: How far from one the slope is expected to lie (standard deviation). Of 0.2 to 0.5 none was better on three shops.
SLOPE_SPREAD: Final = 0.25
_MIN_SLOPE: Final = 1e-3
_BINS: Final = 24


def calibrate(
    raw: Floats, y: Floats, weight: Floats, slope_weight: Floats, slope_spread: float = SLOPE_SPREAD
) -> Calibration:
    """Calibration of raw scores (n,) against what was found (n,) 0 or 1, weighted (n,). Few positives are weighted by
    `slope_weight` (n,), which may be less exact and must be less uneven."""
    if effective_size(weight[y == 1]) >= ISOTONIC_FROM:
        return isotonic(raw, y, weight)
    return sigmoid(raw, y, slope_weight, slope_spread)


def sigmoid(raw: Floats, y: Floats, weight: Floats, slope_spread: float = SLOPE_SPREAD) -> Calibration:
    """Two numbers by Newton's method on the weighted log loss; never falling.

    `slope_spread` is how far from one the slope may be expected to lie: large for scores that are no log-odds.
    """
    w = weight * effective_size(weight) / weight.sum()  # as many returns as they are worth, against the prior
    positive, negative = float((w * y).sum()), float((w * (1 - y)).sum())
    target = y * (positive + 1) / (positive + 2) + (1 - y) / (negative + 2)
    centre, spread = float(np.average(raw, weights=w)), max(float(raw.std()), 1e-6)
    x = (raw - centre) / spread
    slope, shift = _newton(x, target, w, usual_slope=spread, precision=1 / (slope_spread * spread) ** 2)
    slope = max(slope / spread, _MIN_SLOPE)
    low, high = float(raw.min()), max(float(raw.max()), float(raw.min()) + 1.0)
    if slope == _MIN_SLOPE:  # the order of the scores says nothing: the base rate for all, nearly
        shift = log_odds((positive + 1) / (positive + negative + 2))
    return Calibration(
        method="sigmoid",
        raw=(low, high),
        log_odds=(shift + slope * (low - centre), shift + slope * (high - centre)),
    )


def _newton(x: Floats, target: Floats, w: Floats, usual_slope: float, precision: float) -> tuple[float, float]:
    """Slope and intercept of a weighted logistic regression of soft targets on one column. The slope has a normal prior
    of this mean and precision, the intercept a faint one."""
    usual, ridge = np.array([usual_slope, 0.0]), np.array([precision, 1e-6])
    beta = np.array([0.0, log_odds(min(max(float(np.average(target, weights=w)), 1e-6), 1 - 1e-6))])

    def loss(at: Floats) -> float:
        odds = at[0] * x + at[1]
        return float((w * (np.logaddexp(0.0, odds) - target * odds)).sum() + 0.5 * (ridge * (at - usual) ** 2).sum())

    here = loss(beta)
    for _ in range(100):
        p = probabilities(beta[0] * x + beta[1])
        g, h = w * (p - target), w * p * (1 - p)
        # Plain sums: a matrix product may be added up in as many parts as there are threads.
        gradient = np.array([(g * x).sum(), g.sum()]) + ridge * (beta - usual)
        across = (h * x).sum()
        hessian = np.array([[(h * x * x).sum(), across], [across, h.sum()]]) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        while (there := loss(beta - step)) > here and float(np.abs(step).max()) > 1e-12:
            step = step / 2  # a whole step may leap over the minimum where the two kinds lie far apart
        if there >= here - 1e-12 * abs(here):
            break
        beta, here = beta - step, there
    return float(beta[0]), float(beta[1])


def isotonic(raw: Floats, y: Floats, weight: Floats) -> Calibration:
    """Bins of equal positive weight, smoothed towards the sigmoid by two pseudo-returns each, made to rise (pool
    adjacent violators), joined at their mean scores."""
    base = Calibrator(sigmoid(raw, y, weight))
    order = np.argsort(raw, kind="stable")
    x, target, w = raw[order], y[order], weight[order] * len(y) / weight.sum()
    # Half of the bins by positives, so that the upper end is fine enough, half by all returns, for the lower end.
    share = 0.5 * np.cumsum(w * target) / (w * target).sum() + 0.5 * np.cumsum(w) / w.sum()
    bin_of = np.minimum((share * _BINS).astype(int), _BINS - 1)
    bin_of[1:] = np.where(np.diff(x) == 0, -1, bin_of[1:])  # equal scores share a bin
    bin_of = np.maximum.accumulate(bin_of)
    total: Floats = np.bincount(bin_of, w, _BINS).astype(np.float64)
    used = total > 0
    centre = np.bincount(bin_of, w * x, _BINS)[used] / total[used]
    usual = probabilities(base.log_odds(centre))
    rate = (np.bincount(bin_of, w * target, _BINS)[used] + 2.0 * usual) / (total[used] + 2.0)
    rate, centre = _rising(rate, total[used] + 2.0, centre)
    odds = [log_odds(min(max(float(r), 1e-6), 1 - 1e-6)) for r in rate]
    if len(odds) < 2:
        return sigmoid(raw, y, weight)
    knots, values = [float(centre[0])], [odds[0]]
    for c, v in zip(centre[1:].tolist(), odds[1:], strict=True):
        if c > knots[-1]:
            knots.append(c)
            values.append(max(v, math.nextafter(values[-1] + _MIN_SLOPE * (c - knots[-2]), math.inf)))
    return Calibration(method="isotonic", raw=tuple(knots), log_odds=tuple(values))


def at_level(calibration: Calibration, raw: Floats, weight: Floats, base_rate: float) -> Calibration:
    """The same curve, moved in log-odds until the weighted mean probability of `raw` (n,) is `base_rate`."""
    odds = Calibrator(calibration).log_odds(raw)
    low, high = -30.0, 30.0
    for _ in range(100):
        middle = (low + high) / 2
        if float(np.average(probabilities(odds + middle), weights=weight)) < base_rate:
            low = middle
        else:
            high = middle
    moved = tuple(value + (low + high) / 2 for value in calibration.log_odds)
    return calibration.model_copy(update={"log_odds": moved})


def _rising(rate: Floats, weight: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Pool adjacent violators: weighted means of rate and centre over blocks whose rates rise."""
    blocks: list[tuple[float, float, float]] = []
    for r, w, c in zip(rate.tolist(), weight.tolist(), centre.tolist(), strict=True):
        blocks.append((r, w, c))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            r1, w1, c1 = blocks.pop()
            r0, w0, c0 = blocks.pop()
            total = w0 + w1
            blocks.append(((r0 * w0 + r1 * w1) / total, total, (c0 * w0 + c1 * w1) / total))
    return np.array([b[0] for b in blocks]), np.array([b[2] for b in blocks])
