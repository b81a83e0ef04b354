"""The timeline as lines and marks on paper; the table below it says the same in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from fpdf import FPDF

from serving.cases.pictures import timeline_picture
from serving.cases.timeline import Timeline

_INK: Final = (24, 33, 45)
_QUIET: Final = (150, 160, 173)
_ACCENT: Final = (11, 107, 102)
_BAR: Final = (205, 228, 225)
_LANE: Final = 4.6  # millimetres


def draw_timeline(
    paper: FPDF, timeline: Timeline, labels: Sequence[str], windows: Sequence[str], date: Callable[[int], str]
) -> None:
    """Draws a timeline over the whole width at the present height, in the present font, and moves below it."""
    picture = timeline_picture(
        timeline,
        labels,
        width=paper.epw,
        margin=3.0,
        gap=3.0,
        measure=lambda text: paper.get_string_width(text) + 2,
        most_ticks=7,
    )
    left, top = paper.l_margin, paper.get_y() + 1
    axis = top + picture.lanes * _LANE + 2
    height = axis + 6 + len(picture.bars) * 6 - top
    if paper.will_page_break(height):
        paper.add_page()
        axis += paper.get_y() + 1 - top
        top = paper.get_y() + 1
    paper.set_draw_color(*_QUIET)
    for dot in picture.dots:
        y = axis - 2 - dot.lane * _LANE
        paper.line(left + dot.x, axis, left + dot.x, y - 1.2)
    paper.set_draw_color(*_INK)
    paper.line(left, axis, left + picture.width, axis)
    paper.set_text_color(*_INK)
    for dot in picture.dots:
        paper.set_fill_color(255, 255, 255)
        x, y = left + dot.label_x, axis - 2 - dot.lane * _LANE - 3.2
        paper.rect(x + 0.4, y, paper.get_string_width(dot.label) + 1.2, 3.4, style="F")
        paper.text(x + 1, y + 2.6, dot.label)
        paper.set_fill_color(*(_ACCENT if dot.moment.kind in ("found", "decided") else _INK))
        paper.circle(left + dot.x, axis, 0.9, style="F")
    paper.set_text_color(*_QUIET)
    for tick in picture.ticks:
        paper.line(left + tick.x, axis, left + tick.x, axis + 1)
        words = date(tick.at)
        x = min(max(left, left + tick.x - paper.get_string_width(words) / 2), left + picture.width - 12)
        paper.text(x, axis + 3.8, words)
    paper.set_text_color(*_INK)
    y = axis + 5.4
    for bar, words in zip(picture.bars, windows, strict=True):
        paper.set_fill_color(*_BAR)
        paper.rect(left + bar.x, y, max(bar.width, 1.0), 4.4, style="F")
        paper.text(left + bar.x + 1, y + 3.1, f"{words} →" if bar.open else words)
        y += 6
    paper.set_fill_color(255, 255, 255)
    paper.set_draw_color(*_QUIET)
    paper.set_xy(left, y + 1)
