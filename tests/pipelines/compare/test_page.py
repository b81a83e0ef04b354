from __future__ import annotations

import base64
from pathlib import Path

from pipelines.compare.page import Heading, Paragraph, Picture, Table, write

BLOCKS = [
    Paragraph("All is <well>", lead=True),
    Heading("Numbers & more"),
    Table(["", "a|b"], [["x", "1"]]),
    Picture("one.png", 'a "picture"'),
]


def test_both_forms_hold_everything(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"png")
    page = write(tmp_path, "A page", BLOCKS)
    text = page.read_text()
    assert "<h1>A page</h1>" in text
    assert '<p class="lead">All is &lt;well&gt;</p>' in text
    assert "<h2>Numbers &amp; more</h2>" in text
    assert "<tr><th></th><th>a|b</th></tr><tr><td>x</td><td>1</td></tr>" in text
    assert f'alt="a &quot;picture&quot;" src="data:image/png;base64,{base64.b64encode(b"png").decode()}"' in text
    assert (tmp_path / "report.md").read_text() == (
        "# A page\n\n**All is <well>**\n\n## Numbers & more\n\n|  | a\\|b |\n| --- | --- |\n| x | 1 |\n\n"
        '![a "picture"](one.png)\n'
    )
