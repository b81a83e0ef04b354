from __future__ import annotations

import numpy as np
import pytest

from pipelines.simulate.text import Opaque, chosen, decimals, iso_times, optional


class TestOpaque:
    def test_ids_are_unique(self) -> None:
        ids = Opaque(99).ids("x", np.arange(300_000)).to_pylist()
        assert len(set(ids)) == len(ids)
        assert {len(value) for value in ids} == {11}

    def test_prefixes_and_salts_make_other_ids(self) -> None:
        one, two, three = (
            {value[-10:] for value in Opaque(salt).ids(prefix, np.arange(1_000)).to_pylist()}
            for salt, prefix in ((1, "a"), (1, "b"), (2, "a"))
        )
        assert not one & two
        assert len(one & three) < 3

    def test_negative_numbers_are_missing(self) -> None:
        assert Opaque(1).ids("a", np.array([-1, 3]), "@example.com").to_pylist()[0] is None

    def test_of_nothing(self) -> None:
        assert Opaque(1).ids("a", np.zeros(0, dtype=np.int64)).to_pylist() == []


@pytest.mark.parametrize("n", [1, 1_000])
def test_iso_times_are_those_of_numpy(n: int) -> None:
    moments = np.random.default_rng(1).integers(1, 4_000_000_000, n)
    expected = [f"{moment}Z" for moment in np.datetime_as_string(moments.astype("datetime64[s]"))]
    assert iso_times(moments).to_pylist() == expected


def test_words_numbers_and_gaps() -> None:
    assert chosen(np.array([1, -1, 0]), ("a", "b")).to_pylist() == ["b", None, "a"]
    assert decimals(np.array([1999, 5])).to_pylist() == [19.99, 0.05]
    assert optional(np.array([1.0, 2.0]), np.array([True, False])).to_pylist() == [None, 2.0]
