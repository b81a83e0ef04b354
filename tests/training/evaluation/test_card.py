"""The model card as a page: complete in itself, readable by everybody, the same numbers in both forms."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from training.evaluation import plots
from training.evaluation.card import Card, Part, Plot, html, markdown, write
from training.evaluation.intervals import Interval
from training.evaluation.tables import Column, Table

VOID = {"meta", "img", "br", "hr", "link"}


class Page(HTMLParser):
    """Tags with their attributes, and whether every tag that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def card() -> Card:
    table = Table(
        "results",
        "Results <weighted>",
        (Column("model", "model"), Column("auc", "AUC", "figure"), Column("n", "returns", "count")),
        (
            {"model": "This | model", "auc": Interval(0.71234, 0.65, 0.77), "n": 1234, "strong": True},
            {"model": "A & B", "auc": Interval(0.5), "n": 7, "small": True},
        ),
        "By `customer_returns_90d`.",
    )
    picture = Plot("curve", "A curve that rises", plots.png(plots._figure(3, 3)))
    part = Part("Results", ("Of <two> models.",), ("One point.",), (table,), (picture,))
    return Card("Model card: x", "Summary.", (("Model", "x, version 3"),), (part,), (Part("Limits", points=("a",)),))


def test_the_page_stands_alone(card: Card) -> None:
    page = Page(html(card))
    assert page.open == []
    assert page.of("html")[0]["lang"] == "en"
    assert {"width=device-width, initial-scale=1"} <= {m.get("content") for m in page.of("meta")}
    assert not page.of("script")
    assert not page.of("link")
    sources = [i["src"] for i in page.of("img")]
    assert len(sources) == 1
    assert all(source.startswith("data:image/png;base64,iVBOR") for source in sources)
    assert not re.search(r"https?://|url\(", html(card))
    assert "prefers-color-scheme: dark" in html(card)


def test_pictures_and_tables_are_told_to_those_who_cannot_see_them(card: Card) -> None:
    page = Page(html(card))
    assert [i["alt"] for i in page.of("img")] == ["A curve that rises"]
    assert len(page.of("caption")) == len(page.of("table")) == 1
    assert {h["scope"] for h in page.of("th")} == {"col", "row"}
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids)) == 4
    assert [a["href"] for a in page.of("a")] == [f"#{name}" for name in ids]
    assert all(s["aria-labelledby"] in ids for s in page.of("section"))


def test_text_is_escaped(card: Card) -> None:
    text = html(card)
    assert "Of &lt;two&gt; models." in text
    assert "A &amp; B (few)" in text
    assert "By <code>customer_returns_90d</code>." in text
    assert "| This \\| model | 0.712 (0.650 to 0.770) | 1,234 |" in markdown(card)


def test_both_forms_hold_the_same_numbers(card: Card) -> None:
    def numbers(text: str) -> list[str]:
        return re.findall(r"\d[\d.,]*\d", text)

    body = re.sub(r"<style>.*?</style>|<img[^>]*>|<[^>]+>", " ", html(card), flags=re.DOTALL)
    assert numbers(body)[-6:] == ["0.712", "0.650", "0.770", "1,234", "0.500", "90"]
    assert numbers(markdown(card))[-6:] == ["0.712", "0.650", "0.770", "1,234", "0.500", "90"]


def test_what_was_not_measured_says_so(card: Card) -> None:
    titles = [part.title for part in card.parts()]
    assert titles == ["Results", "Reasons", "Fairness", "Limits"]
    assert markdown(card).count("Not measured in this run.") == 2
    full = dataclasses.replace(card, fairness=Part("By country", ("Error rates are alike.",)))
    assert [part.title for part in full.parts()] == titles
    assert markdown(full).count("Not measured in this run.") == 1
    assert "Error rates are alike." in html(full)


def test_tables_are_lines_of_markdown(card: Card) -> None:
    lines = markdown(card).splitlines()
    start = lines.index("| model | AUC | returns |")
    assert lines[start + 1] == "| --- | ---: | ---: |"
    assert lines[start + 2].startswith("| This")
    assert lines[start + 3].startswith("| A & B (few)")
    assert lines[start - 1] == lines[start + 4] == ""


def test_it_is_written_with_its_tables_and_pictures(card: Card, tmp_path: Path) -> None:
    write(card, tmp_path)
    written = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert written == ["card/model_card.html", "card/model_card.md", "card/tables/results.json", "plots/curve.png"]
    table = json.loads((tmp_path / "card" / "tables" / "results.json").read_text())
    assert table["data"][0] == ["This | model", 0.71234, 0.65, 0.77, 1234]
    link = re.findall(r"\]\(\.\./(.+?)\)", (tmp_path / "card" / "model_card.md").read_text())
    assert link == ["plots/curve.png"]
