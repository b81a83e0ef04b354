"""Error rates by group, beside the average, with intervals that keep small groups from being over-read.

Who was honest is known of checked returns only. Each of them counts as often as the odds of its check say
(inverse-propensity weights); where all returns of the time are at hand, the weights are then scaled so that within each
group and band of risk they sum to the number of returns there (post-stratification). How many returns of a group are
flagged is then exact, and only how many of these were honest rests on checks. A band of a group with fewer than
`MIN_CHECKED` checked returns borrows those of all groups in that band (a synthetic estimate).

Rates are Fairlearn's `MetricFrame` with these weights. What is judged is a group against the average: the ratio of
false-positive rates, and the difference of calibration gaps. Their intervals come from Taylor linearisation with
customers as clusters, as returns of one customer resemble each other (quick, without chance, and in agreement with a
bootstrap by customer), or from Wilson's score where that is wider. Rows whose group is unknown are no group and no part
of the average.

For all three: Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, chapters 5, 7 and 10.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.metrics import MetricFrame

from training.evaluation.metrics import calibration_error
from training.fairness.segments import UNKNOWN
from training.labels import effective_size

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

ALL: Final = "all"
#: All groups with fewer than `MIN_CHECKED` checked returns together.
OTHER: Final = "other"
MIN_CHECKED: Final = 20
#: Columns that do not depend on a flag.
BASE_COLUMNS: Final = ("n", "effective_n", "effective_honest", "mean_risk", "share_found", "calibration_error")


@dataclass(frozen=True)
class Returns:
    """Returns (n,): the model's risk, how many returns each stands for, and a code for the customer of each."""

    risk: Floats
    weight: Floats
    customer: Codes

    def take(self, which: Flags) -> Returns:
        """Those of a mask."""
        return Returns(self.risk[which], self.weight[which], self.customer[which])


@dataclass(frozen=True)
class Flag:
    """A risk from which returns count as flagged: its name in tables, and in sentences."""

    name: str
    text: str
    from_risk: float


def group_table(
    checked: Returns,
    found: Floats,
    groups: npt.NDArray[np.object_],
    everyone: Returns,
    groups_of_all: npt.NDArray[np.object_],
    flags: tuple[Flag, ...],
    confidence: float,
) -> pd.DataFrame:
    """One row per group, and one for `all` of them at the top.

    `found` (n,) is 1 or 0, `groups` (n,) the group of each checked return, `groups_of_all` (m,) of each of `everyone`
    (the checked returns themselves, where nothing is known of the others).

    Columns: `n` (checked), `effective_n`, `effective_honest` (Kish, of the checked ones that nothing was found in),
    `mean_risk`, `share_found`, `calibration_error`, `gap` (mean risk less share found), `gap_excess` (over that of all)
    with `gap_low` and `gap_high`; and for each flag, behind its name and a colon, `flag_rate`, `false_positive_rate`,
    `recall`, `ratio` (of the false-positive rate to that of all), `ratio_low` and `ratio_high`.
    """
    known, known_of_all = groups != UNKNOWN, groups_of_all != UNKNOWN
    checked, found = checked.take(known), found[known]
    everyone = everyone.take(known_of_all)
    names = _names(groups[known], groups_of_all[known_of_all])
    group, group_of_all = (_positions(g, names) for g in (groups[known], groups_of_all[known_of_all]))
    cells = Cells.of(checked, group, everyone, group_of_all, sorted({flag.from_risk for flag in flags}))
    y, risk = found[cells.row], checked.risk[cells.row]
    frame = MetricFrame(
        metrics={"figures": partial(_figures, flags)},  # one for all: Fairlearn copies the columns for every metric
        y_true=y,
        y_pred=risk,
        sensitive_features=pd.Series(cells.group, name="group"),
        sample_params={"figures": {"weight": cells.weight, "own_weight": checked.weight[cells.row] * cells.own}},
    )
    numbers = frame.by_group.index.to_numpy(dtype=np.intp)
    table = pd.DataFrame(
        np.stack([frame.overall["figures"], *frame.by_group["figures"]]),
        index=[ALL, *(names[number] for number in numbers)],
        columns=_columns(flags),
    )
    table["gap"] = table["mean_risk"] - table["share_found"]
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    masks = [np.ones(len(y), dtype=np.bool_), *(cells.group == number for number in numbers)]
    gaps = [_weighted_mean(risk - y, cells.weight * mask) for mask in masks]
    excess = [_difference(gap, gaps[0], cells, z) for gap in gaps]
    table[["gap_excess", "gap_low", "gap_high"]] = np.array(excess)
    honest = cells.weight * (1 - y)
    shares = [float((honest * mask).sum() / max(honest.sum(), 1e-300)) for mask in masks]
    for flag in flags:
        flagged = (risk >= flag.from_risk).astype(np.float64)
        rates = [_weighted_mean(flagged, honest * mask) for mask in masks]
        ratios = [_ratio(rate, rates[0], share, cells, z) for rate, share in zip(rates, shares, strict=True)]
        table[[f"{flag.name}:{name}" for name in ("ratio", "ratio_low", "ratio_high")]] = np.array(ratios)
    return table


def _names(groups: npt.NDArray[np.object_], groups_of_all: npt.NDArray[np.object_]) -> list[str]:
    """The groups that are shown, in order; `OTHER` at the end if there are smaller ones."""
    counts = Counter(groups.tolist())
    large = sorted(name for name, count in counts.items() if count >= MIN_CHECKED)
    return [*large, OTHER] if {*counts, *groups_of_all.tolist()} - set(large) else large


def _positions(groups: npt.NDArray[np.object_], names: list[str]) -> Codes:
    """Positions in `names`; groups that are not there are the last one, `OTHER`. (n,) -> (n,)."""
    found = pd.Index(names, dtype=object).get_indexer(pd.Index(groups, dtype=object))
    return np.where(found >= 0, found, len(names) - 1).astype(np.intp)


@dataclass(frozen=True)
class Cells:
    """Groups by bands of risk, and the checked returns that stand for each of them.

    Entries (e,): `row` of the checked return, `group` and `cell` that it stands for, its `weight` there (those of a
    cell sum to the weight of everyone in it), whether it is the cell's `own` or borrowed, and whose it is (`customer`).
    `cell_of_all` (m,) are the cells of everyone.
    """

    row: Codes
    group: Codes
    cell: Codes
    weight: Floats
    own: Flags
    customer: Codes
    everyone: Returns
    cell_of_all: Codes

    @classmethod
    def of(cls, checked: Returns, group: Codes, everyone: Returns, group_of_all: Codes, cuts: list[float]) -> Cells:
        """Cells of `group` (n,) and `group_of_all` (m,), by the bands of risk between `cuts`."""
        band = np.searchsorted(cuts, checked.risk, side="right")
        band_of_all = np.searchsorted(cuts, everyone.risk, side="right")
        bands = len(cuts) + 1
        rows, groups, weights, owns = [], [], [], []
        for number in range(int(max(group.max(initial=-1), group_of_all.max(initial=-1))) + 1):
            for place in range(bands):
                total = float(everyone.weight[(group_of_all == number) & (band_of_all == place)].sum())
                if not total:
                    continue
                its = _at_hand(group == number, band == place)
                weight = checked.weight[its]
                rows.append(its)
                groups.append(np.full(len(its), number * bands + place))
                weights.append(weight * (total / weight.sum()))
                owns.append((group[its] == number) & (band[its] == place))
        row, cell = (np.concatenate(part or [np.zeros(0, dtype=np.intp)]) for part in (rows, groups))
        weight, own = np.concatenate(weights or [np.zeros(0)]), np.concatenate(owns or [np.zeros(0, dtype=np.bool_)])
        return cls(
            row, cell // bands, cell, weight, own, checked.customer[row], everyone, group_of_all * bands + band_of_all
        )

    def standard_error(self, influence: Floats) -> float:
        """Of an estimate that each entry moves by `influence` (e,), weight included."""
        number = int(max(self.cell.max(initial=0), self.cell_of_all.max(initial=0))) + 1
        total = np.bincount(self.cell, self.weight, number)
        mean = np.bincount(self.cell, influence, number) / np.where(total > 0, total, 1.0)
        customers = int(max(self.customer.max(initial=0), self.everyone.customer.max(initial=0))) + 1
        by_customer = np.bincount(self.customer, influence - self.weight * mean[self.cell], customers)
        by_customer += np.bincount(self.everyone.customer, self.everyone.weight * mean[self.cell_of_all], customers)
        return float(np.sqrt(np.sum(by_customer**2)))


def _at_hand(of_group: Flags, in_band: Flags) -> Codes:
    """The checked returns that stand for a cell: its own, else those of all groups in the band, else whatever there
    is."""
    own = np.flatnonzero(of_group & in_band)
    if len(own) >= MIN_CHECKED:
        return own
    borrowed = np.flatnonzero(in_band)
    return borrowed if len(borrowed) else np.arange(len(in_band))


def _columns(flags: tuple[Flag, ...]) -> list[str]:
    rates = ("flag_rate", "false_positive_rate", "recall")
    return [*BASE_COLUMNS, *(f"{flag.name}:{rate}" for flag in flags for rate in rates)]


def _figures(flags: tuple[Flag, ...], y_true: Floats, y_pred: Floats, weight: Floats, own_weight: Floats) -> Floats:
    """What `MetricFrame` computes for every group, in the order of `_columns`."""
    y, risk, weight, own_weight = map(np.asarray, (y_true, y_pred, weight, own_weight))
    out = [
        float(np.sum(own_weight > 0)),
        effective_size(own_weight[own_weight > 0]),
        effective_size(own_weight[(own_weight > 0) & (y == 0)]),
        _mean(risk, weight),
        _mean(y, weight),
        calibration_error(y, risk, weight),
    ]
    for flag in flags:
        flagged = risk >= flag.from_risk
        out += [_mean(flagged, weight), _mean(flagged, weight * (1 - y)), _mean(flagged, weight * y)]
    return np.array(out)


def _mean(values: Floats | Flags, weight: Floats) -> float:
    total = float(np.sum(weight))
    return float(np.sum(values * weight)) / total if total else float("nan")


@dataclass(frozen=True)
class _Estimate:
    """An estimate, and by how much each entry of the cells moves it (e,)."""

    value: float
    influence: Floats


def _weighted_mean(values: Floats, weight: Floats) -> _Estimate:
    value = _mean(values, weight)
    return _Estimate(value, weight * (values - value) / max(float(weight.sum()), 1e-300))


def _difference(of: _Estimate, base: _Estimate, cells: Cells, z: float) -> tuple[float, float, float]:
    """A difference with its interval."""
    spread = z * cells.standard_error(of.influence - base.influence)
    value = of.value - base.value
    return value, value - spread, value + spread


def _ratio(of: _Estimate, base: _Estimate, share: float, cells: Cells, z: float) -> tuple[float, float, float]:
    """A ratio of false-positive rates with its interval; `share` is the group's share of honest returns.

    The wider of two intervals: linearisation on the log scale, and Wilson's for the group's share of all honest returns
    that are flagged, which holds where these are few. That one's number of returns is the one at which the average rate
    would be as uncertain as it is.
    """
    if not base.value > 0 or np.isnan(of.value) or not 0 < share <= 1:
        return float("nan"), float("nan"), float("nan")
    if share == 1:
        return 1.0, 1.0, 1.0
    value = of.value / base.value
    number = 1.0 / max(cells.standard_error(base.influence / base.value) ** 2, 1e-12)
    low, high = (end / share for end in _wilson(min(share * value, 1.0), number, z))
    if value > 0:
        spread = float(np.exp(z * cells.standard_error(of.influence / of.value - base.influence / base.value)))
        low, high = min(low, value / spread), max(high, value * spread)
    return value, low, high


def _wilson(share: float, number: float, z: float) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share observed in `number` cases."""
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    spread = z / (1 + z * z / number) * float(np.sqrt(share * (1 - share) / number + z * z / (4 * number**2)))
    return max(middle - spread, 0.0), min(middle + spread, 1.0)


def flags_of(risk: Floats, weight: Floats, high: float, share: float) -> tuple[Flag, Flag]:
    """The two flags: the riskiest `share` of returns with these risks and weights (n,), and the model's band `high`."""
    order = np.argsort(-risk, kind="stable")
    filled = np.cumsum(weight[order]) / weight.sum()
    start = float(risk[order][min(int(np.searchsorted(filled, share)), len(risk) - 1)])
    return Flag("top", f"the riskiest {share:.0%}", start), Flag("high", "the band `high`", high)


def customer_codes(*names: pd.Series[str]) -> list[Codes]:
    """A code for each customer, the same in all of several columns; a row without one is somebody else each time."""
    codes, known = pd.factorize(pd.concat(names, ignore_index=True).astype(object), use_na_sentinel=True)
    lost = codes < 0
    codes[lost] = len(known) + np.arange(int(lost.sum()))
    ends = np.cumsum([len(column) for column in names])[:-1]
    return [part.astype(np.intp) for part in np.split(codes, ends)]
