"""From the bytes of an upload to a picture that is safe to keep and to show.

What is kept is never what was sent: the picture is decoded and encoded anew as JPEG, so that location, camera,
comments, previews and whatever else travels in a file are left behind.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageOps

from features.errors import ReturnwiseError

#: Largest upload in bytes.
MOST_BYTES: Final = 15 * 1024 * 1024
#: Most pixels that are decoded; phones reach 50 million, more is a bomb or a mistake.
MOST_PIXELS: Final = 50_000_000
#: Longest side of what is kept, and of its thumbnail, in pixels.
LONGEST_SIDE: Final = 2048
THUMBNAIL_SIDE: Final = 320

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = 88
#: Markup that no camera writes. Long enough that the noise of a picture does not spell it by chance.
_MARKUP: Final = re.compile(rb"<script|<iframe|<!doctype|<html[ >]|<\?php\s|<svg\s+xmlns", re.IGNORECASE)
#: A picture in work may take 200 MB, so a process works on one at a time.
_one_at_a_time: Final = threading.Lock()

Code = Literal["empty", "too_large", "not_a_photo", "too_many_pixels", "animated", "hides_markup", "damaged"]
_MESSAGES: Final[dict[Code, str]] = {
    "empty": "The file is empty.",
    "too_large": f"The file is larger than {MOST_BYTES // 2**20} MB.",
    "not_a_photo": "The file is not a JPEG, PNG or WebP picture.",
    "too_many_pixels": f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels.",
    "animated": "The picture moves; send a still one.",
    "hides_markup": "The file holds something else besides a picture.",
    "damaged": "The picture is damaged or cut off.",
}


class PhotoRefused(ReturnwiseError):
    """An upload that is not kept; `code` says why, for texts in other languages."""

    def __init__(self, code: Code) -> None:
        super().__init__(_MESSAGES[code])
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it is kept: JPEG bytes, their SHA-256, and the size in pixels."""

    content: bytes
    thumbnail: bytes
    digest: bytes
    width: int
    height: int


def encode(upload: bytes) -> Encoded:
    """Checks an upload and encodes it anew. Takes up to a second: call it in a thread.

    The picture is turned as the camera held it, laid on white where it is transparent, and made no longer than
    `LONGEST_SIDE`.

    Raises:
        PhotoRefused: it is empty, too large, no still picture of an allowed format, damaged, or holds markup.
    """
    if not upload:
        raise PhotoRefused("empty")
    if len(upload) > MOST_BYTES:
        raise PhotoRefused("too_large")
    if _MARKUP.search(upload):
        raise PhotoRefused("hides_markup")
    with _one_at_a_time:
        picture = _decode(upload)
        content = _jpeg(picture)
        width, height = picture.size
        picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return Encoded(content, _jpeg(picture), hashlib.sha256(content).digest(), width, height)


def _decode(upload: bytes) -> Image.Image:
    """The picture in RGB, at most `LONGEST_SIDE` long."""
    try:
        opened = Image.open(io.BytesIO(upload), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoRefused("too_many_pixels") from None
    except Exception:  # noqa: BLE001 - whatever a decoder says about bytes from outside: they are no picture
        raise PhotoRefused("not_a_photo") from None
    with opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise PhotoRefused("too_many_pixels")
        # The further frames of a JPEG are a depth map or a preview: what phones add. Of the others they move.
        if opened.format in ("PNG", "WEBP") and getattr(opened, "n_frames", 1) > 1:
            raise PhotoRefused("animated")
        try:
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # of a JPEG: decoded smaller, in a fraction of the memory
            opened.load()
            return _still(opened)
        except Exception:  # noqa: BLE001 - as above
            raise PhotoRefused("damaged") from None


def _still(opened: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(opened)
    if turned.mode in ("1", "P"):  # these would be made smaller by leaving out pixels
        turned = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=3.0)
    clean = Image.new("RGB", turned.size, "white")  # a new one, so that nothing but the pixels comes along
    if turned.has_transparency_data:
        with_alpha = turned.convert("RGBA")
        clean.paste(with_alpha, mask=with_alpha)
    else:
        clean.paste(turned.convert("RGB"))
    return clean


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
