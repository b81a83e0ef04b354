"""A page in two forms: Markdown beside its pictures, and one HTML file that holds everything."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from pipelines.docs import table

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a202c}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .8rem;border-bottom:1px solid #e2e8f0;"
    "text-align:right}th:first-child,td:first-child{text-align:left}img{max-width:100%}.lead{font-size:1.15rem}"
)


@dataclass(frozen=True)
class Heading:
    """A heading of the second level."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text; the `lead` of a page is set larger."""

    text: str
    lead: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells below a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A PNG file in the folder of the page."""

    file: str
    says: str


Block = Heading | Paragraph | Table | Picture


def write(folder: Path, title: str, blocks: Sequence[Block]) -> Path:
    """Write `report.md` and `report.html` into the folder of the pictures; gives the path of the latter."""
    (folder / "report.md").write_text(markdown(title, blocks), encoding="utf-8")
    page = folder / "report.html"
    page.write_text(html(title, blocks, folder), encoding="utf-8")
    return page


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """The page as Markdown.

    >>> markdown("A", [Heading("B"), Paragraph("c"), Picture("d.png", "e")])
    '# A\\n\\n## B\\n\\nc\\n\\n![e](d.png)\\n'
    """
    parts = [f"# {title}"]
    for block in blocks:
        match block:
            case Heading(text):
                parts.append(f"## {text}")
            case Paragraph(text, lead):
                parts.append(f"**{text}**" if lead else text)
            case Table(header, rows):
                parts.append(table(header, rows))
            case Picture(file, says):
                parts.append(f"![{says}]({file})")
    return "\n\n".join(parts) + "\n"


def html(title: str, blocks: Sequence[Block], folder: Path) -> str:
    """The page as HTML, with the pictures of the folder inside."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    body = "\n".join(_html(block, folder) for block in blocks)
    page = f'<html lang="en"><head>{head}</head>\n<body><h1>{escape(title)}</h1>\n{body}\n</body></html>'
    return f"<!doctype html>\n{page}\n"


def _html(block: Block, folder: Path) -> str:
    match block:
        case Heading(text):
            return f"<h2>{escape(text)}</h2>"
        case Paragraph(text, lead):
            return f'<p class="lead">{escape(text)}</p>' if lead else f"<p>{escape(text)}</p>"
        case Table(header, rows):
            lines = [_row(header, "th"), *(_row(row, "td") for row in rows)]
            return f"<table>{''.join(lines)}</table>"
        case Picture(file, says):
            content = base64.b64encode((folder / file).read_bytes()).decode()
            return f'<p><img alt="{escape(says)}" src="data:image/png;base64,{content}"></p>'


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
