"""Placeholders for photos: a parcel, its item and its label, drawn and plainly not real."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageDraw

_SIZE: Final = (960, 720)
_TABLES: Final = ("#d9d4cb", "#cfd6da", "#d8d2da")
_BOXES: Final = ("#b98d5a", "#a97f50", "#c49a68")
_ITEMS: Final = ("#5f7f8c", "#8c6f5f", "#6f8c5f")


def drawn(finding: str, number: int) -> bytes:
    """A PNG picture of an opened parcel; what lies in it goes with the finding, its colours with the number."""
    picture = Image.new("RGB", _SIZE, _TABLES[number % len(_TABLES)])
    draw = ImageDraw.Draw(picture)
    box, item = _BOXES[number % len(_BOXES)], _ITEMS[number % len(_ITEMS)]
    draw.rectangle((180, 150, 780, 600), fill=box, outline="#6d5132", width=6)
    draw.polygon([(180, 150), (100, 90), (700, 90), (780, 150)], fill="#d3ac7c", outline="#6d5132", width=4)
    draw.rectangle((215, 185, 745, 565), fill="#8f6b43")
    if finding not in ("empty_package", "missing_item"):
        draw.rounded_rectangle((330, 250, 630, 520), radius=28, fill=item, outline="#2f3b40", width=5)
        draw.rectangle((470, 250, 490, 520), fill="#e7e2d8")
    if finding == "missing_item":
        draw.rounded_rectangle((300, 330, 440, 510), radius=20, fill=item, outline="#2f3b40", width=5)
    if finding == "worn":
        for left in (360, 410, 540):
            draw.ellipse((left, 430, left + 42, 462), fill="#3d4d52")
    if finding == "damaged":
        draw.line([(340, 260), (430, 360), (400, 400), (520, 510)], fill="#1f2426", width=9)
    if finding in ("wrong_item", "counterfeit"):
        draw.rectangle((560, 205, 700, 285), fill="#f4f0e6", outline="#2f3b40", width=4)
        for left in range(575, 690, 14):
            draw.rectangle((left, 220, left + 4 + left % 5, 270), fill="#2f3b40")
    draw.rectangle((0, 660, _SIZE[0], _SIZE[1]), fill="#2f3b40")
    draw.text((24, 672), "Drawn for the demo - not a photo", fill="#ffffff", font_size=28)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
