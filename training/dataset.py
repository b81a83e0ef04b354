"""From the ledger to the table that a model is fitted on: features as of each request, labels as known by `until`.

Time runs through everything here. Rows are in order of `requested_at`; the three stretches follow each other
(`split`), and between two of them lies a gap as long as labels usually take, so that no stretch is made only of what
happened to be found quickly. A row of one stretch counts only if its label was known when the next one began.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, func, select

from features.clock import DAY
from features.ledger import tables
from features.ledger import vocabulary as words
from features.signals import ModelFeature
from training.errors import TooFewLabels
from training.labels import effective_size, weights

Floats = npt.NDArray[np.float64]

#: Shares of the labelled returns, in order of time.
TRAIN_SHARE: Final = 0.65
CALIBRATION_SHARE: Final = 0.15

#: The odds of a check say how many returns it stands for. Trees take them with a low limit: who is checked depends on
#: what the features show, which biases no tree, while few heavy rows (and what inspectors get wrong in them) would rule
#: all trees. Calibration and metrics take them with a high limit, because a limit there moves the base rate.
TREE_CLIP: Final = 2.0
ESTIMATE_CLIP: Final = 100.0

MIN_POSITIVES: Final = 50
MIN_PER_STRETCH: Final = 5


#: What returns are grouped and valued by when a model is judged. None of it is shown to the model.
CONTEXT: Final = (
    "customer_id",
    "country",
    "sku",
    "category",
    "kind",  # return or claim
    "channel",  # of the order
    "value",  # what was paid for the items, in the currency
    "trigger",  # why it was checked
    "abuse_type",  # what was found, for a positive label
)


@dataclass(frozen=True)
class Rows:
    """n returns: `X` (n, k) float64 in the order of the features, NaN unknown; `y` (n,) 0 or 1; times in microseconds
    since epoch; `odds` (n,) with which each was checked, NaN unknown; `context` (n rows, columns `CONTEXT`)."""

    return_id: npt.NDArray[np.object_]
    requested_at: npt.NDArray[np.int64]
    X: Floats
    y: Floats
    known_at: npt.NDArray[np.int64]
    odds: Floats
    context: pd.DataFrame

    def __len__(self) -> int:
        return len(self.y)

    def take(self, which: npt.NDArray[Any] | slice) -> Rows:
        """The rows of a mask, of positions or of a slice."""
        return Rows(
            self.return_id[which],
            self.requested_at[which],
            self.X[which],
            self.y[which],
            self.known_at[which],
            self.odds[which],
            self.context[which] if isinstance(which, slice) else self.context.iloc[np.asarray(which)],
        )

    def weights(self, clip: float) -> Floats:
        """Inverse-propensity weights, at most `clip`. (n,)."""
        return weights(self.odds, clip=clip)

    @property
    def positives(self) -> int:
        """Number of returns in which abuse was found."""
        return int(self.y.sum())


@dataclass(frozen=True)
class Split:
    """Three stretches in order of time, and the moments and the gap between them in microseconds."""

    train: Rows
    calibration: Rows
    test: Rows
    calibration_from: int
    test_from: int
    until: int
    gap: int

    def parts(self) -> dict[str, Rows]:
        """The stretches by name, in order of time."""
        return {"train": self.train, "calibration": self.calibration, "test": self.test}


@dataclass(frozen=True)
class DataVersion:
    """Which state of the ledger was read: number of rows per table recorded by `until`, the latest of these moments,
    and the epoch (it changes when bulk ingest rewrites the past)."""

    counts: dict[str, int]
    recorded_until: int
    epoch: int

    @property
    def digest(self) -> str:
        """Eight hexadecimal characters that change with any of it."""
        text = repr((sorted(self.counts.items()), self.recorded_until, self.epoch))
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()

    def tags(self) -> dict[str, int | str]:
        """Flat, for run tags and the model card."""
        return {
            **{f"rows_{table}": count for table, count in self.counts.items()},
            "recorded_until_us": self.recorded_until,
            "epoch": self.epoch,
            "digest": self.digest,
        }


def data_version(conn: Connection, until_us: int | None) -> DataVersion:
    """The version of the ledger as known at `until_us` (`None`: all of it)."""
    counts, latest = {}, 0
    for name in ("orders", "order_lines", "deliveries", "returns", "inspections", "verdicts"):
        recorded = tables.metadata.tables[name].c.recorded_at
        query = select(func.count(), func.max(recorded))
        if until_us is not None:
            query = query.where(recorded <= until_us)
        count, last = conn.execute(query).one()
        counts[name] = int(count)
        latest = max(latest, int(last or 0))
    meta = tables.ledger_meta.c
    epoch = conn.execute(select(meta.value).where(meta.name == "epoch")).scalar()
    return DataVersion(counts, latest, int(epoch or 0))


def assemble(frame: pd.DataFrame, labels: pd.DataFrame, features: Sequence[ModelFeature]) -> Rows:
    """Rows of a table of features (`return_id`, `event_timestamp` and one column per feature) with their labels, in
    order of time. Returns without a row in `labels` get the label NaN."""
    known = labels.set_index("return_id").reindex(frame["return_id"])
    requested = microseconds(frame["event_timestamp"])
    ids = frame["return_id"].to_numpy(dtype=object)
    order = np.lexsort((ids.astype(str), requested))
    rows = Rows(
        return_id=ids,
        requested_at=requested,
        X=frame[[f.name for f in features]].to_numpy(dtype=np.float64, na_value=np.nan),
        y=known["label"].to_numpy(dtype=np.float64),
        known_at=known["known_at"].fillna(0).to_numpy(dtype=np.int64),
        odds=known["propensity"].to_numpy(dtype=np.float64),
        context=_context(frame, known),
    )
    return rows.take(order)


def _context(frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The columns of `CONTEXT` of a table of returns (its order) and their labels (the same order)."""
    n = len(frame)

    def word(column: str, vocabulary: tuple[str, ...]) -> npt.NDArray[np.object_]:
        codes = frame[column].fillna(-1).to_numpy(dtype=np.int64) if column in frame else np.full(n, -1)
        return np.array([*vocabulary, None], dtype=object)[codes]

    def text(table: pd.DataFrame, column: str) -> npt.NDArray[np.object_]:
        if column not in table:
            return np.full(n, None, dtype=object)
        values = table[column].astype(object)
        return values.where(values.notna(), None).to_numpy(dtype=object)

    value = frame["request_value"].to_numpy(dtype=np.float64) / 100 if "request_value" in frame else np.zeros(n)
    return pd.DataFrame(
        {
            **{column: text(frame, column) for column in ("customer_id", "country", "sku", "category")},
            "kind": word("request_kind_code", words.KINDS),
            "channel": word("request_order_channel_code", words.CHANNELS),
            "value": value,
            **{column: text(known, column) for column in ("trigger", "abuse_type")},
        }
    )


def microseconds(times: pd.Series[pd.Timestamp]) -> npt.NDArray[np.int64]:
    """Microseconds since epoch of UTC timestamps. (n,)."""
    utc = pd.to_datetime(times, utc=True)
    return np.asarray(utc.astype("datetime64[us, UTC]").astype(np.int64), dtype=np.int64)


def label_delay(rows: Rows) -> int:
    """How long labels usually take: the 90th percentile of request to label, in microseconds."""
    return int(np.percentile(rows.known_at - rows.requested_at, 90)) if len(rows) else 0


def split(rows: Rows, until: int) -> Split:
    """Train, calibration and test stretch of labelled rows (in order of time).

    The gap before each boundary is the usual label delay, at most a quarter of the shortest stretch. Raises
    `TooFewLabels` if there are too few labels altogether or in one of the stretches.
    """
    check_enough(rows)
    first = int(len(rows) * TRAIN_SHARE)
    second = int(len(rows) * (TRAIN_SHARE + CALIBRATION_SHARE))
    start, calibration_from, test_from = (int(rows.requested_at[k]) for k in (0, first, second))
    shortest = min(calibration_from - start, test_from - calibration_from, until - test_from)
    gap = max(0, min(label_delay(rows), shortest // 4))

    def stretch(begin: int, end: int) -> Rows:
        t = rows.requested_at
        return rows.take((t >= begin) & (t < end - gap) & (rows.known_at <= end))

    parts = Split(
        train=stretch(start, calibration_from),
        calibration=stretch(calibration_from, test_from),
        test=stretch(test_from, until + 1),
        calibration_from=calibration_from,
        test_from=test_from,
        until=until,
        gap=gap,
    )
    for name, part in parts.parts().items():
        negatives = len(part) - part.positives
        if min(part.positives, negatives) < MIN_PER_STRETCH:
            raise TooFewLabels(
                f"too few labels in the {name} stretch: {part.positives} positive and {negatives} negative, at least "
                f"{MIN_PER_STRETCH} of each are needed ({len(rows)} labelled returns from {day(start)} to "
                f"{day(until)}; the first label became known on {day(int(rows.known_at.min()))})"
            )
    return parts


def check_enough(rows: Rows) -> None:
    """Raise `TooFewLabels` if a model cannot be learned from these labels."""
    negatives = len(rows) - rows.positives
    if rows.positives < MIN_POSITIVES or negatives < MIN_POSITIVES:
        raise TooFewLabels(
            f"too few labels to learn from: {rows.positives} returns with abuse found and {negatives} cleared; at "
            f"least {MIN_POSITIVES} of each are needed"
        )


def describe(rows: Rows) -> dict[str, float]:
    """Counts of a stretch for the run: rows, positives, effective sample size of the weights used for estimates."""
    return {
        "rows": float(len(rows)),
        "positives": float(rows.positives),
        "effective_rows": effective_size(rows.weights(ESTIMATE_CLIP)),
        "effective_positives": effective_size(rows.weights(ESTIMATE_CLIP)[rows.y == 1]),
    }


def pick(ids: Sequence[str], at_most: int) -> npt.NDArray[np.bool_]:
    """A mask over `ids` that keeps about `at_most` of them, always the same ones: chosen by a hash of the id."""
    if len(ids) <= at_most:
        return np.ones(len(ids), dtype=np.bool_)
    marks = np.array(
        [int.from_bytes(hashlib.blake2b(str(i).encode(), digest_size=8).digest(), "big") for i in ids], dtype=np.uint64
    )
    return np.asarray(marks <= np.partition(marks, at_most - 1)[at_most - 1], dtype=np.bool_)


def day(moment: int) -> str:
    """The UTC day of a moment.

    >>> day(DAY)
    '1970-01-02'
    """
    return str(np.datetime64(moment // DAY, "D"))
