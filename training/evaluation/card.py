"""The model card: what a model is for, what it learned from, how good it is, and what it cannot do.

A card is a list of parts, each of sentences, tables and plots. It is written as one HTML file that needs nothing else
(plots inside, readable on a phone, light and dark) and as Markdown with the same numbers; its tables also as JSON.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup, escape

from training.evaluation.tables import Table

_HTML: Final = "card.html"
_MARKDOWN: Final = "card.md"
#: Names of the two files, in the folder `card` of a run.
FILES: Final = ("model_card.html", "model_card.md")


@dataclass(frozen=True)
class Plot:
    """A picture: `name` is that of its file, `caption` tells what it shows to those who cannot see it, too."""

    name: str
    caption: str
    png: bytes = field(repr=False)

    @property
    def uri(self) -> str:
        """The picture itself as an address."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass(frozen=True)
class Part:
    """A section of a card: paragraphs, points of a list, tables, plots, in this order."""

    title: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()

    @property
    def anchor(self) -> str:
        """Its name in links.

        >>> Part("By kind of abuse").anchor
        'by-kind-of-abuse'
        """
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Card:
    """A model card. `reasons` and `fairness` come from measurements of their own; without them the card says so."""

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    reasons: Part | None = None
    fairness: Part | None = None

    def parts(self) -> tuple[Part, ...]:
        """All parts in the order of the card."""
        return (
            *self.before,
            replace(self.reasons, title="Reasons") if self.reasons else _not_measured("Reasons"),
            replace(self.fairness, title="Fairness") if self.fairness else _not_measured("Fairness"),
            *self.after,
        )

    def plots(self) -> Iterator[Plot]:
        """All plots."""
        for part in self.parts():
            yield from part.plots

    def tables(self) -> Iterator[Table]:
        """All tables."""
        for part in self.parts():
            yield from part.tables


def _not_measured(title: str) -> Part:
    return Part(title, ("Not measured in this run.",))


def html(card: Card) -> str:
    """The card as one HTML page that needs no other file."""
    return _environment().get_template(_HTML).render(card=card)


def markdown(card: Card) -> str:
    """The card as Markdown. Plots are linked as `../plots/NAME.png`."""
    text = _environment().get_template(_MARKDOWN).render(card=card)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def write(card: Card, folder: Path) -> None:
    """Write `card/` (both files and `tables/NAME.json`) and `plots/NAME.png` below `folder`."""
    for name in ("card/tables", "plots"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in zip(FILES, (html(card), markdown(card)), strict=True):
        (folder / "card" / name).write_text(text, encoding="utf-8")
    for table in card.tables():
        content = json.dumps(table.split(), indent=1, allow_nan=False) + "\n"
        (folder / "card" / "tables" / f"{table.name}.json").write_text(content, encoding="utf-8")
    for plot in card.plots():
        (folder / "plots" / f"{plot.name}.png").write_bytes(plot.png)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("training.evaluation"),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Any] = {"prose": _prose, "figure": _figure, "pipe": _pipe}
    environment.filters.update(filters)
    return environment


def _prose(text: str) -> Markup:
    """Text for HTML; what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _figure(text: str) -> Markup:
    """A figure for HTML, its range smaller and on a line of its own."""
    middle, bracket, rest = text.partition(" (")
    if not bracket:
        return escape(text)
    return Markup("{}<small>{}</small>").format(middle, rest.removesuffix(")"))


def _pipe(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
