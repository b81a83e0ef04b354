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
TRAIN_SHARE: Final = 0.60
CALIBRATION_SHARE: Final = 0.20

#: The odds of a check say how many returns it stands for. Trees do not take them (a limit of one): who is checked
#: depends on what the features show, which biases no tree, while few heavy rows (and what inspectors get wrong in them)
#: would rule all trees. The slope of a calibration by few positives takes them with a low limit, levels and metrics
#: with a high one, because a limit there moves the base rate.
TREE_CLIP: Final = 1.0
SLOPE_CLIP: Final = 3.0
ESTIMATE_CLIP: Final = 100.0

#: How much a return that nobody looked at counts as a negative beside a checked one. See docs/training.md.
UNCHECKED_WEIGHT: Final = 0.05

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


def together(*parts: Rows) -> Rows:
    """The rows of several tables, in order of time."""
    arrays = ("return_id", "requested_at", "X", "y", "known_at", "odds")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    rows = Rows(**joined, context=pd.concat([part.context for part in parts], ignore_index=True))
    return rows.take(np.lexsort((rows.return_id.astype(str), rows.requested_at)))


@dataclass(frozen=True)
class Unchecked:
    """Returns that nobody looked at (their `y` is NaN), in order of time: an even `share` of all of them."""

    rows: Rows
    share: float = 1.0

    def between(self, begin: int, end: int) -> Unchecked:
        """Those that were asked for from `begin` to before `end` (microseconds)."""
        t = self.rows.requested_at
        return Unchecked(self.rows.take((t >= begin) & (t < end)), self.share)


def everyone(labelled: Rows, unchecked: Unchecked) -> Rows:
    """An even sample of all returns, checked or not, in order of time."""
    some = pick(labelled.return_id.tolist(), max(1, round(unchecked.share * len(labelled))))
    return together(labelled.take(some), unchecked.rows)


@dataclass(frozen=True)
class Split:
    """Three stretches of labelled returns in order of time, and the moments and the gap between them in microseconds.
    `labelled` has all returns with a label, those in the gaps too, `unchecked` those that nobody looked at."""

    train: Rows
    calibration: Rows
    test: Rows
    calibration_from: int
    test_from: int
    until: int
    gap: int
    unchecked: Unchecked | None = None
    labelled: Rows | None = None

    def unchecked_between(self, begin: int, end: int) -> Unchecked | None:
        """Returns without a label of a stretch of time, None if there are none."""
        some = None if self.unchecked is None else self.unchecked.between(begin, end)
        return some if some is not None and len(some.rows) else None

    def everyone_since(self, begin: int) -> Rows | None:
        """An even sample of all returns asked for since `begin`, checked or not, in order of time; None if it cannot be
        had. What was looked at without a result is not among them."""
        others = self.unchecked_between(begin, self.until + 1)
        if others is None:
            return None
        labelled = self.labelled or together(self.train, self.calibration, self.test)
        return everyone(labelled.take(labelled.requested_at >= begin), others)

    def labelled_before(self, end: int) -> Rows:
        """The labelled returns that may be learned from if nothing is to be known from `end` on (the start of the
        calibration or of the test stretch), those between the stretches too."""
        if end <= self.calibration_from:
            return self.train
        if self.labelled is None:
            return together(self.train, self.calibration)
        return stretch(self.labelled, int(self.train.requested_at[0]), end, self.gap)

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
        words_and_none: npt.NDArray[np.object_] = np.array([*vocabulary, None], dtype=object)
        return np.take(words_and_none, codes)

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


def split(rows: Rows, until: int, unchecked: Unchecked | None = None) -> Split:
    """Train, calibration and test stretch of labelled rows (in order of time), with the returns that have no label.

    The gap before each boundary is the usual label delay, at most a quarter of the shortest stretch. Raises
    `TooFewLabels` if there are too few labels altogether or in one of the stretches.
    """
    check_enough(rows)
    first = int(len(rows) * TRAIN_SHARE)
    second = int(len(rows) * (TRAIN_SHARE + CALIBRATION_SHARE))
    start, calibration_from, test_from = (int(rows.requested_at[k]) for k in (0, first, second))
    shortest = min(calibration_from - start, test_from - calibration_from, until - test_from)
    gap = max(0, min(label_delay(rows), shortest // 4))

    parts = Split(
        train=stretch(rows, start, calibration_from, gap),
        calibration=stretch(rows, calibration_from, test_from, gap),
        test=stretch(rows, test_from, until + 1, gap),
        calibration_from=calibration_from,
        test_from=test_from,
        until=until,
        gap=gap,
        unchecked=unchecked,
        labelled=rows,
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


def stretch(rows: Rows, begin: int, end: int, gap: int) -> Rows:
    """The rows requested from `begin` until a `gap` before `end`, with a label known by `end`, in microseconds."""
    t = rows.requested_at
    return rows.take((t >= begin) & (t < end - gap) & (rows.known_at <= end))


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
