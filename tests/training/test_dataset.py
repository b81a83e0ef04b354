"""Stretches of time, the gap between them, and what must not cross."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from features.clock import DAY
from tests.support.returns import FEATURES, START, made_up_returns, until_of
from training.dataset import CONTEXT, assemble, check_enough, describe, label_delay, microseconds, pick, split
from training.errors import TooFewLabels


def test_stretches_follow_each_other_with_a_gap() -> None:
    rows = made_up_returns()
    parts = split(rows, until_of(rows))
    train, calibration, test = parts.parts().values()
    assert parts.gap > 4 * DAY  # labels take up to six days, evenly: nine in ten less than 5.4
    assert train.requested_at.max() < parts.calibration_from - parts.gap
    assert calibration.requested_at.min() >= parts.calibration_from
    assert calibration.requested_at.max() < parts.test_from - parts.gap
    assert test.requested_at.min() >= parts.test_from
    assert test.requested_at.max() <= parts.until - parts.gap
    assert min(len(train), len(calibration), len(test)) > 500


def test_a_label_counts_only_once_it_was_known() -> None:
    rows = made_up_returns()
    late = np.zeros(len(rows), dtype=bool)
    late[::50] = True
    known = np.where(late, until_of(rows), rows.known_at)
    parts = split(dataclasses.replace(rows, known_at=known), until_of(rows))
    slow = set(rows.return_id[late])
    assert slow & set(parts.test.return_id)
    assert not slow & (set(parts.train.return_id) | set(parts.calibration.return_id))
    for part, end in ((parts.train, parts.calibration_from), (parts.calibration, parts.test_from)):
        assert part.known_at.max() <= end


def test_too_few_labels_are_counted() -> None:
    rows = made_up_returns(n=600)
    with pytest.raises(TooFewLabels, match=r"\d+ returns with abuse found and \d+ cleared; at least 50 of each"):
        check_enough(rows)
    one_class = dataclasses.replace(rows, y=np.ones(len(rows)))
    with pytest.raises(TooFewLabels, match="600 returns with abuse found and 0 cleared"):
        check_enough(one_class)


def test_all_labels_of_one_moment_are_too_few() -> None:
    rows = made_up_returns()
    same = dataclasses.replace(rows, requested_at=np.full(len(rows), START), known_at=np.full(len(rows), START + DAY))
    with pytest.raises(TooFewLabels, match="in the train stretch"):
        split(same, START + DAY)


def test_assemble_puts_rows_in_order_of_time() -> None:
    frame = pd.DataFrame(
        {
            "return_id": ["c", "b", "a"],
            "event_timestamp": pd.to_datetime([5, 5, 9], unit="us", utc=True),
            **{f.name: [1.0, None, 3.0] for f in FEATURES},
        }
    )
    labels = pd.DataFrame(
        {"return_id": ["a", "b"], "label": [1.0, 0.0], "known_at": [20, 30], "propensity": [0.5, np.nan]}
    )
    rows = assemble(frame, labels, FEATURES)
    assert rows.return_id.tolist() == ["b", "c", "a"]
    assert rows.requested_at.tolist() == [5, 5, 9]
    assert rows.X.shape == (3, len(FEATURES))
    assert np.isnan(rows.X[0, 0])
    assert rows.y.tolist()[::2] == [0.0, 1.0]
    assert np.isnan(rows.y[1])
    assert rows.known_at.tolist() == [30, 0, 20]
    assert tuple(rows.context.columns) == CONTEXT


def test_what_returns_are_grouped_by_goes_along() -> None:
    frame = pd.DataFrame(
        {
            "return_id": ["b", "a"],
            "event_timestamp": pd.to_datetime([9, 5], unit="us", utc=True),
            "customer_id": pd.array(["c1", "c2"], dtype=pd.StringDtype("pyarrow")),
            "country": pd.array(["DE", None], dtype=pd.StringDtype("pyarrow")),
            "request_kind_code": [0, 1],
            "request_order_channel_code": [1, -1],
            "request_value": [1250, 99],
            **{f.name: [1.0, 2.0] for f in FEATURES if f.name != "request_value"},
        }
    )
    labels = pd.DataFrame(
        {"return_id": ["a"], "label": [1.0], "known_at": [20], "propensity": [0.5], "trigger": ["random"]}
    )
    rows = assemble(frame, labels, FEATURES).take(slice(None)).take(np.array([True, True]))
    got = rows.context.to_dict("list")
    assert got["customer_id"] == ["c2", "c1"]
    assert got["country"] == [None, "DE"]
    assert got["kind"] == ["claim", "return"]
    assert got["channel"] == [None, "app"]
    assert got["value"] == [0.99, 12.5]
    assert got["trigger"] == ["random", None]


def test_microseconds_of_any_resolution() -> None:
    moment = pd.Timestamp("2026-03-01T12:00:00.123456Z")
    for unit in ("us", "ns"):
        assert microseconds(pd.Series([moment]).astype(f"datetime64[{unit}, UTC]")).tolist() == [moment.value // 1000]


def test_pick_is_the_same_every_time_and_does_not_depend_on_order() -> None:
    ids = [f"r{i}" for i in range(5000)]
    mask = pick(ids, 500)
    assert mask.sum() == 500
    assert mask[::-1].tolist() == pick(ids[::-1], 500).tolist()
    assert pick(ids[:10], 500).all()


def test_description_counts_what_the_weights_leave() -> None:
    rows = made_up_returns()
    counts = describe(rows)
    assert counts["rows"] == len(rows)
    assert counts["positives"] == rows.y.sum()
    assert 0 < counts["effective_rows"] < len(rows)
    assert 0 < counts["effective_positives"] < rows.y.sum()
    assert label_delay(rows) > 4 * DAY
