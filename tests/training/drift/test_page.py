"""The page: whole, readable without anything else, and in colours that can be told apart."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from features.risk_model import RiskModel
from tests.support.drift import NO_LABELS, live, random_checks
from tests.support.repository import ROOT
from training.drift import DriftReport, Window, compare, plots
from training.drift.page import render

_VOID = {"meta", "br", "img"}


class Whole(HTMLParser):
    """Checks that every element is closed, and gathers what a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def broken_feed(X: np.ndarray) -> None:
    X[::2, 1] = np.nan


@pytest.fixture(scope="module")
def alarming(model: RiskModel) -> DriftReport:
    return compare(model, "3", live(2_000, change=broken_feed)[0], random_checks(0.02, 0.1))


@pytest.fixture(scope="module")
def calm(model: RiskModel) -> DriftReport:
    return compare(model, "3", live(2_000)[0], random_checks(0.02, 0.02))


@pytest.fixture(scope="module")
def empty(model: RiskModel) -> DriftReport:
    return compare(model, "3", Window(np.empty((0, 7)), np.array([], dtype=object), 0, 0, 30, 0), NO_LABELS)


class TestPage:
    def test_it_says_what_the_report_says(self, alarming: DriftReport) -> None:
        text = Whole(render(alarming)).text
        for sentence in (*alarming.verdict[1:], *(alarm.text for alarm in alarming.alarms)):
            assert sentence in text
        for feature in alarming.features:
            assert feature.name in text
        assert "Something has changed" in text
        assert "customer_return_rate_90d" in text

    def test_the_state_is_told_in_words(self, calm: DriftReport, empty: DriftReport) -> None:
        assert "No sign of a change" in Whole(render(calm)).text
        assert "Not everything can be told" in Whole(render(empty)).text

    def test_it_needs_nothing_else(self, alarming: DriftReport) -> None:
        page = render(alarming)
        assert not re.findall(r"https?:|//|\bsrc=|<script|@import|url\(", page)
        assert len(page) < 300_000

    def test_the_same_report_gives_the_same_bytes(self, alarming: DriftReport) -> None:
        assert render(alarming) == render(alarming)

    def test_what_comes_from_elsewhere_is_escaped(self, model: RiskModel) -> None:
        report = compare(model, "<b>3</b>", live(300)[0], NO_LABELS)
        assert "<b>" not in render(report)

    def test_charts_can_be_read_aloud(self, alarming: DriftReport) -> None:
        page = render(alarming)
        assert re.findall(r'<svg [^>]*role="img" aria-label="CUSUM [^"]*alarm on', page)
        assert page.count("<table") == page.count('role="region"')
        assert '<html lang="en">' in page


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 counts it: 4.5 for text, 3 for marks."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, str]]:
    page = (ROOT / "training" / "drift" / "page.html").read_text(encoding="utf-8")
    return [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    ]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_colours_can_be_told_apart(palette: dict[str, str]) -> None:
    for text, back in (("ink", "card"), ("ink", "page"), ("soft", "card"), ("soft", "page")):
        assert contrast(palette[text], palette[back]) >= 4.5, (text, back)
    for state in ("alarm", "calm", "unknown"):
        assert contrast(palette["ink"], palette[f"{state}-back"]) >= 4.5
        assert contrast(palette[state], palette["card"]) >= 4.5
    for mark in ("before", "now", "mark"):
        assert contrast(palette[mark], palette["card"]) >= 3, mark


def test_pictures(alarming: DriftReport, empty: DriftReport, tmp_path: Path) -> None:
    made = plots.figures(alarming)
    assert sorted(made) == ["features", "random_checks", "risks"]
    for name, figure in made.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert plots.figures(empty) == {}
