"""Normalisation: whole columns at a time, the same as value by value."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest import normalise
from pipelines.ingest.contract import Column, Kind


def strings(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


class TestTime:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01 00:00:01+00:00", 1_000_000),
            ("1970-01-01T02:00+0200", 0),
            ("1970-01-01T00-01", 3_600_000_000),
            ("1970-01-01T00:00:00.5Z", 500_000),
            ("1970-01-01T00:00:00.0000019Z", 1),
            (" 1970-01-01T00:00:00Z ", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
        ],
    )
    def test_accepted(self, text: str, moment: int) -> None:
        alone = normalise.time(strings(text))
        beside = normalise.time(strings(text, "rubbish"))
        assert (alone.values[0].as_py(), alone.problems) == (moment, {})
        assert (beside.values[0].as_py(), beside.problems) == (moment, {1: "not an ISO 8601 time"})

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("2026-01-01", "time without zone"),
            ("2026-01-01T10:00", "time without zone"),
            ("2026-01-01 10:00:00.123", "time without zone"),
            ("2026-01-01T10:00:00 Europe/Berlin", "not an ISO 8601 time"),
            ("2026-01-01T10:00:00+25:00", "not an ISO 8601 time"),
            ("2026-01-01T24:00:00Z", "not an ISO 8601 time"),
            ("2026-01-01T23:59:60Z", "not an ISO 8601 time"),
            ("2026-13-01T00:00:00Z", "not an ISO 8601 time"),
            ("10000-01-01T00:00:00Z", "not an ISO 8601 time"),
            ("٢٠٢٦-01-01T00:00:00Z", "not an ISO 8601 time"),
            ("2026-01-01Z", "not an ISO 8601 time"),
            ("01/02/2026 10:00", "not an ISO 8601 time"),
        ],
    )
    def test_refused(self, text: str, reason: str) -> None:
        found = normalise.time(strings(text, None))
        assert found.problems == {0: reason}
        assert found.values.to_pylist() == [None, None]

    @given(
        st.text("0123456789-:.TZ+ ", max_size=30)
        | st.from_regex(
            r"\d{4}-[01]\d-[0-3]\d[T ][0-2]\d(:[0-6]\d(:[0-6]\d(\.\d{1,8})?)?)?(Z|[+-]\d\d:?(\d\d)?)?", fullmatch=True
        )
    )
    def test_the_fast_way_agrees_with_the_slow_one(self, text: str) -> None:
        text = text.strip()
        slow = normalise.parse_time(text) if text else None
        fast = normalise.time(strings(text))
        assert fast.values[0].as_py() == (slow if isinstance(slow, int) else None)
        assert fast.problems == ({0: slow} if isinstance(slow, str) else {})

    @given(st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001
    def test_moments_come_back(self, local: datetime, minutes: int) -> None:
        moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
        found = normalise.time(strings(moment.isoformat()))
        assert found.values[0].as_py() == (moment - normalise.EPOCH) // timedelta(microseconds=1)

    def test_arrow_timestamps_of_any_zone_and_unit(self) -> None:
        moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
        expected = (moment - normalise.EPOCH) // timedelta(microseconds=1)
        for unit in ("s", "ms", "us", "ns"):
            for zone in ("UTC", "America/New_York", "+05:30"):
                found = normalise.time(pa.array([moment, None], pa.timestamp(unit, zone)))
                assert found.values.to_pylist() == [expected, None]


class TestNumber:
    @given(st.decimals(Decimal(0), Decimal(10_000_000), places=4))
    def test_prices_of_four_decimals_are_exact(self, price: Decimal) -> None:
        money = Column("unit_price", Kind.MONEY, True)
        for raw in (strings(str(price)), pa.array([price], pa.decimal128(12, 4)), pa.array([float(price)])):
            assert normalise.ledger_values(money, normalise.number(raw).values) == [int(price * 10_000)]

    @given(st.text("0123456789.eE+-infaN_x, ", max_size=12))
    def test_a_bad_neighbour_changes_nothing(self, text: str) -> None:
        alone = normalise.number(strings(text))
        beside = normalise.number(strings(text, "?"))
        finite = alone.values[0].as_py() is not None and abs(alone.values[0].as_py()) < float("inf")
        if finite:
            assert beside.values[0].as_py() == alone.values[0].as_py()
            assert 0 not in beside.problems
        assert beside.problems[1] == "not a number"

    def test_missing_stays_missing(self) -> None:
        found = normalise.number(strings("", None, " "))
        assert (found.values.to_pylist(), found.problems) == ([None] * 3, {})

    def test_absent_discounts_are_none(self) -> None:
        discount = Column("discount", Kind.MONEY)
        assert normalise.ledger_values(discount, pa.array([None, 1.5])) == [0, 15_000]


class TestText:
    def test_blanks_empty_and_missing(self) -> None:
        found = normalise.text(strings(" a ", "", None, "\u00a0b\u3000"))
        assert (found.values.to_pylist(), found.problems) == (["a", None, None, "b"], {})

    @given(st.text(max_size=20))
    def test_what_is_kept_is_nfc_and_visible(self, value: str) -> None:
        found = normalise.text(strings(value, "plain"))
        assert found.values[1].as_py() == "plain"
        kept = found.values[0].as_py()
        if 0 in found.problems or kept is None:
            return
        assert unicodedata.is_normalized("NFC", kept)
        assert kept == kept.strip()
        assert all(unicodedata.category(character) not in ("Cc", "Zl", "Zp") for character in kept)

    @pytest.mark.parametrize(
        "character",
        [
            "\x00",
            "\n",
            "\t",
            "\x7f",
            "\x85",
            "\u202a",
            "\u202e",
            "\u2066",
            "\u2069",
            "\u200f",
            "\u200b",
            "\ufeff",
            "\u2028",
            "\U000e0041",
        ],
    )
    @pytest.mark.parametrize("template", ["{}a", "a{}", "a{}a", "é{}a"])
    def test_controls_overrides_and_invisible_characters(self, character: str, template: str) -> None:
        found = normalise.text(strings("good", template.format(character)))
        assert found.problems == {1: "control or invisible character"}

    def test_slices_look_at_their_own_rows_only(self) -> None:
        whole = strings("a\x00", "b", "c")
        assert normalise.text(whole.slice(1)).problems == {}
        assert normalise.text(whole.slice(0, 1)).problems == {0: "control or invisible character"}


class TestFlag:
    def test_spellings(self) -> None:
        found = normalise.flag(strings("true", "FALSE", "1", "0", "Yes", "no", "", None, "maybe"))
        assert found.values.to_pylist() == [True, False, True, False, True, False, None, None, None]
        assert found.problems == {8: "neither true nor false"}

    def test_arrow_types(self) -> None:
        assert normalise.flag(pa.array([True, None])).values.to_pylist() == [True, None]
        assert normalise.flag(pa.array([1, 0, None])).values.to_pylist() == [True, False, None]
        assert normalise.flag(pa.array([2])).problems == {0: "neither true nor false"}
