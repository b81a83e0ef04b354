"""Ids over HTTP and in tables: the same characters are refused, whichever way they come in."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from features.ledger.characters import FORBIDDEN, FORBIDDEN_PATTERN
from pipelines.ingest import normalise
from serving.fields import identifier

PLANE = 0x10000
SURROGATES = range(0xD800, 0xE000)


def sample() -> list[int]:
    """The whole first plane, of each other one the ends and some in between, and what stands beside each stretch."""
    draw = random.Random(1)
    found = set(range(PLANE))
    for plane in range(1, 17):
        start = plane * PLANE
        found |= {*range(start, start + 300), *range(start + PLANE - 300, start + PLANE)}
        found |= {start + draw.randrange(PLANE) for _ in range(1_000)}
    for low, high in FORBIDDEN:
        found |= {low - 1, low, high, high + 1}
    return sorted(point for point in found if 0 <= point < 17 * PLANE and point not in SURROGATES)


def refused_by_requests(text: str) -> bool:
    try:
        identifier(text)
    except ValueError:
        return True
    return False


def test_both_ways_in_refuse_and_accept_the_same() -> None:
    points = sample()
    texts = [f"a{chr(point)}b" for point in points]
    in_tables = normalise.text(pa.array(texts, pa.string())).problems
    over_http = {at for at, text in enumerate(texts) if refused_by_requests(text)}
    assert [hex(points[at]) for at in sorted(over_http ^ set(in_tables))] == []
    forbidden = {at for at, point in enumerate(points) if any(low <= point <= high for low, high in FORBIDDEN)}
    assert over_http == forbidden
    assert 500 < len(over_http) < 6_000


@pytest.mark.parametrize("point", [0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x10FFFE])
def test_what_looks_like_nothing_is_refused(point: int) -> None:
    assert refused_by_requests(f"a{chr(point)}")
    assert normalise.text(pa.array([f"a{chr(point)}"])).problems == {0: "control or invisible character"}


@pytest.mark.parametrize("text", ["a\u200db", "a\u200cb", "한글", "⠁", "\u1161", "\ufdf0", "\U0001f600", "é"])
def test_what_scripts_need_is_accepted(text: str) -> None:
    assert not refused_by_requests(text)
    assert normalise.text(pa.array([text])).problems == {}


def test_halves_of_surrogate_pairs_come_over_http_only() -> None:
    assert all(FORBIDDEN_PATTERN.search(chr(point)) for point in SURROGATES)


def test_the_stretches_are_in_order_and_apart() -> None:
    edges = [edge for low, high in sorted(FORBIDDEN) for edge in (low, high + 0.5)]
    assert edges == sorted(set(edges))
