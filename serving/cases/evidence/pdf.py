"""The evidence file as a PDF that can be archived (PDF/A-2u), with an outline, its language and texts for its pictures.

Set in DejaVu, which has Latin, Greek, Cyrillic and more; a sign that it lacks is shown as a box, and the JSON beside it
has the words as they were written.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import DocumentCompliance, TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from serving.cases.evidence import wording
from serving.cases.evidence.drawing import draw_timeline
from serving.cases.evidence.material import Material
from serving.texts import Texts, texts

FAMILY: Final = "DejaVu"
_INK: Final = (24, 33, 45)
_MUTED: Final = (84, 95, 112)
_LINE: Final = (200, 206, 215)
_HEAD: Final = (238, 240, 244)
_BOX: Final = "\N{REPLACEMENT CHARACTER}"
_TWO_WIDE: Final = 84.0  # millimetres: two photos beside each other
_TALLEST: Final = 95.0


def pdf(material: Material) -> bytes:
    """The PDF; the same material gives the same bytes. Takes up to a second: call it in a thread."""
    t = texts(material.language)
    paper = _Paper(t, material)
    paper.title_page()
    _asked(paper, t, material)
    _happened(paper, t, material)
    _seen(paper, t, material)
    _concluded(paper, t, material)
    if material.kind == "dispute":
        _why(paper, t, material)
        _said(paper, t, material)
    _photos(paper, t, material)
    _trail(paper, t, material)
    return bytes(paper.output())


class _Paper(FPDF):
    """A4 pages with a foot, and the few forms that the file is made of."""

    def __init__(self, t: Texts, material: Material) -> None:
        super().__init__(format="A4", enforce_compliance=DocumentCompliance.PDFA_2U)
        self._t = t
        self._material = material
        for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font(FAMILY, style, _fonts() / name)
        self.set_margins(18, 18, 18)
        self.c_margin = 0
        self.set_auto_page_break(True, 20)
        title, subject = f"{t(f'evidence.title.{material.kind}')} {material.case_id}", t(f"evidence.is.{material.kind}")
        moment = datetime.fromtimestamp(material.as_of // 1_000_000, UTC)
        self.set_title(title)
        self.set_author(t("frame.product"))
        self.set_subject(subject)
        self.set_lang(material.language)
        self.set_creator("Returnwise")
        self.set_creation_date(moment)
        self.set_xmp_metadata(_about(title, subject, moment.isoformat()))
        self.set_text_color(*_INK)
        self.set_draw_color(*_LINE)
        self.set_font(FAMILY, size=9.5)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(FAMILY, size=7.5)
        self.set_text_color(*_MUTED)
        self.cell(self.epw / 2, 5, self._material.case_id)
        self.cell(self.epw / 2, 5, self._t("evidence.page", page=self.page_no(), pages="{nb}"), align="R")
        self.set_text_color(*_INK)

    def shown(self, text: str) -> str:
        """The text with a box for each sign that the font lacks."""
        font = self.fonts[FAMILY.lower()]
        assert isinstance(font, TTFFont)
        return "".join(sign if sign in "\n\t" or ord(sign) in font.cmap else _BOX for sign in text)

    def title_page(self) -> None:
        t, material = self._t, self._material
        self.set_font(FAMILY, "B", 18)
        self.multi_cell(0, 9, t(f"evidence.title.{material.kind}"), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.small(t("evidence.state", case=material.case_id, moment=t.writing.date_time_text(material.as_of)))
        self.ln(2)
        self.words(t(f"evidence.is.{material.kind}"))
        self.words(t(f"evidence.is_not.{material.kind}"))

    def heading(self, key: str, room: float = 28) -> None:
        """A heading that is in the outline, too, with `room` below it on the same page."""
        if self.will_page_break(room):
            self.add_page()
        self.ln(4)
        self.start_section(self._t(f"evidence.heading.{key}"))
        self.set_font(FAMILY, "B", 12)
        self.multi_cell(0, 7, self._t(f"evidence.heading.{key}"), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(0.5)

    def words(self, text: str) -> None:
        self.set_font(FAMILY, size=9.5)
        self.multi_cell(0, 5, self.shown(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def small(self, text: str) -> None:
        self.set_font(FAMILY, size=8)
        self.set_text_color(*_MUTED)
        self.multi_cell(0, 4.4, self.shown(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(*_INK)

    def quote(self, text: str) -> None:
        """Somebody's own words, with a line beside them."""
        self.set_font(FAMILY, size=9.5)
        left, top, page = self.l_margin, self.get_y(), self.page
        self.set_left_margin(left + 4)
        self.set_x(left + 4)
        self.multi_cell(0, 5, self.shown(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_left_margin(left)
        if self.page == page:
            self.line(left + 1, top, left + 1, self.get_y())
        self.set_x(left)
        self.ln(1.5)

    def grid(self, head: Sequence[str], body: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        """A table whose head comes again on every page."""
        self.set_font(FAMILY, size=8.5)
        style = FontFace(emphasis="BOLD", fill_color=_HEAD)
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=style,
            col_widths=tuple(widths),
            line_height=4.6,
            padding=(1, 1.4),
            text_align="LEFT",
            first_row_as_headings=bool(head),
        ) as table:
            for row in ([head] if head else []) + list(body):
                cells = table.row()
                for cell in row:
                    cells.cell(self.shown(cell))
        self.ln(1)


def _about(title: str, subject: str, moment: str) -> str:
    """The metadata, with nothing in it of when the file was made: the same content is the same file."""
    title, subject = escape(title), escape(subject)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"'
        f' xmp:CreatorTool="Returnwise" xmp:CreateDate="{moment}" xmp:ModifyDate="{moment}">'
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


@lru_cache
def _fonts() -> Path:
    """The folder of the fonts that come with matplotlib, found without importing it."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"


def _asked(paper: _Paper, t: Texts, material: Material) -> None:
    paper.heading("asked")
    paper.grid((), wording.asked(t, material), (1, 2.4))
    head = [t(f"evidence.line.{name}") for name in ("line", "product", "category", "pieces", "paid")]
    lines = [
        (
            line.line_id,
            line.sku,
            t.of("category", line.category) if line.category else "",
            t("evidence.of", count=line.quantity, bought=line.bought),
            t.writing.money_text(line.value_minor, material.claim.currency),
        )
        for line in material.claim.lines
    ]
    paper.grid(head, lines, (1, 2.2, 2, 1.2, 1.4))
    right = wording.rights(t, material)
    if right:
        paper.words(right)


def _happened(paper: _Paper, t: Texts, material: Material) -> None:
    paper.heading("happened")
    moments = material.timeline.moments
    paper.set_font(FAMILY, size=7.5)
    draw_timeline(
        paper,
        material.timeline,
        [paper.shown(f"{n} {wording.short(t, m)}") for n, m in enumerate(moments, 1)],
        [paper.shown(t.of("rights", window.basis)) for window in material.timeline.windows],
        t.writing.short_date_text,
    )
    paper.small(t("evidence.utc"))
    paper.ln(1)
    head = ("", t("evidence.when"), t("evidence.what"))
    body = [(str(n), t.writing.date_time_text(m.at), wording.happened(t, m)) for n, m in enumerate(moments, 1)]
    paper.grid(head, body, (0.4, 1.6, 5))


def _seen(paper: _Paper, t: Texts, material: Material) -> None:
    paper.heading("found")
    if material.found:
        head = [t(f"evidence.{name}") for name in ("when", "line_of", "finding", "who_did")]
        body = [
            (
                t.writing.date_time_text(each.at),
                each.line_id or t("evidence.whole"),
                t.of("finding", each.finding),
                wording.who(t, each.who),
            )
            for each in material.found
        ]
        paper.grid(head, body, (1.7, 1.2, 2.6, 1.7))
    else:
        paper.words(t("evidence.nothing_found"))
    if material.checked:
        head = [t(f"evidence.{name}") for name in ("when", "check", "result", "who_did")]
        body = [
            (t.writing.date_time_text(each.at), each.name, t.of("check_result", each.result), wording.who(t, each.who))
            for each in material.checked
        ]
        paper.grid(head, body, (1.7, 2.4, 1.4, 1.7))


def _concluded(paper: _Paper, t: Texts, material: Material) -> None:
    paper.heading("concluded")
    if not material.decided:
        paper.words(t("evidence.nothing_concluded"))
    for each in material.decided:
        basis = t.of("basis", each.basis) if each.basis else t("evidence.no_basis")
        pairs = [
            (t("evidence.when"), t.writing.date_time_text(each.at)),
            (t("evidence.verdict"), t.of("verdict", each.verdict)),
            (t("evidence.basis"), basis),
            (t("evidence.who_did"), wording.who(t, each.who)),
        ]
        if each.abuse_type:
            pairs.insert(2, (t("evidence.abuse_type"), t.of("abuse_type", each.abuse_type)))
        paper.grid((), pairs, (1, 2.4))
        if each.words:
            paper.quote(each.words)


def _why(paper: _Paper, t: Texts, material: Material) -> None:
    if not material.reasons and not material.reassurances:
        return
    paper.heading("why")
    paper.words(t("evidence.why"))
    for told in material.reasons:
        paper.quote(told.words)
    if material.reassurances:
        paper.words(t("evidence.in_favour"))
        for told in material.reassurances:
            paper.quote(told.words)
    paper.small(t("evidence.versions", versions=", ".join(f"{name} {version}" for name, version in material.versions)))


def _said(paper: _Paper, t: Texts, material: Material) -> None:
    if not material.disputed and not material.noticed:
        return
    paper.heading("said")
    for disputed in material.disputed:
        paper.small(t("evidence.customer_wrote", moment=t.writing.date_time_text(disputed.received_at)))
        paper.quote(disputed.words)
        if disputed.outcome is not None and disputed.decided_at is not None:
            outcome = t.of("dispute_outcome", disputed.outcome)
            paper.words(f"{t.writing.date_time_text(disputed.decided_at)}: {outcome}")
    for noticed in material.noticed:
        paper.small(t("evidence.we_wrote", moment=t.writing.date_time_text(noticed.made_at)))
        paper.quote(noticed.words)


def _photos(paper: _Paper, t: Texts, material: Material) -> None:
    if not material.pictures:
        return
    first = material.pictures[0].photo
    paper.heading("photos", 34 + min(_TALLEST, _TWO_WIDE * first.height / first.width))
    column, top, lowest = 0, paper.get_y(), paper.get_y()
    for number, each in enumerate(material.pictures, 1):
        scale = min(_TWO_WIDE / each.photo.width, _TALLEST / each.photo.height)
        width, height = each.photo.width * scale, each.photo.height * scale
        if column == 0 and paper.will_page_break(height + 22):
            paper.add_page()
            top = lowest = paper.get_y()
        elif column == 1 and top + height + 22 > paper.page_break_trigger:
            paper.add_page()
            column, top, lowest = 0, paper.get_y(), paper.get_y()
        left = paper.l_margin + column * (_TWO_WIDE + 6)
        caption = paper.shown(each.photo.caption) or t("evidence.photo", count=number)
        paper.image(io.BytesIO(each.content), x=left, y=top, w=width, h=height, alt_text=caption)
        paper.set_xy(left, top + height + 1)
        paper.set_font(FAMILY, size=8)
        told = f"{number}. {caption}\n{t.writing.date_time_text(each.photo.at)}, {wording.who(t, each.who)}"
        paper.multi_cell(_TWO_WIDE, 4.2, told, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        paper.set_x(left)
        paper.set_font(FAMILY, size=6)
        paper.set_text_color(*_MUTED)
        digest = each.photo.digest.hex()
        paper.multi_cell(_TWO_WIDE, 3, f"SHA-256 {digest[:32]} {digest[32:]}", align="L", new_y=YPos.NEXT)
        paper.set_text_color(*_INK)
        lowest = max(lowest, paper.get_y())
        column = 1 - column
        if column == 0:
            top = lowest + 4
            paper.set_xy(paper.l_margin, top)
    paper.set_xy(paper.l_margin, lowest + 2)


def _trail(paper: _Paper, t: Texts, material: Material) -> None:
    if not material.done:
        return
    paper.heading("trail")
    paper.words(t("evidence.trail"))
    head = (t("evidence.when"), t("evidence.who_did"), t("evidence.what"))
    body = [
        (
            t.writing.date_time_text(each.at),
            wording.who(t, each.who),
            wording.operation(t, each.operation),
        )
        for each in material.done
    ]
    paper.grid(head, body, (1.7, 1.7, 3.4))
