"""Pictures as cameras, and others, send them."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

GPS_IFD = 0x8825
ORIENTATION = 0x0112


def picture(width: int = 60, height: int = 40, colour: str = "teal", mode: str = "RGB") -> Image.Image:
    """A picture whose upper left corner is red, so that turning it shows."""
    made = Image.new(mode, (width, height), colour)
    made.paste("red", (0, 0, width // 3, height // 3))
    return made


def jpeg(made: Image.Image | None = None, *, orientation: int = 1, gps: bool = False, comment: bytes = b"") -> bytes:
    """A JPEG with what a phone writes into it."""
    exif = Image.Exif()
    exif[0x010F] = "A camera that says who made it"
    exif[ORIENTATION] = orientation
    if gps:
        exif.get_ifd(GPS_IFD).update({1: "N", 2: (52.0, 22.0, 12.5), 3: "E", 4: (4.0, 53.0, 42.0)})
    out = io.BytesIO()
    (made or picture()).save(out, "JPEG", exif=exif, comment=comment, quality=95)
    return out.getvalue()


def saved(made: Image.Image, kind: str, **options: object) -> bytes:
    """A picture in another format."""
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it has so many pixels, and unpacks to them."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer = zlib.compressobj(9)
    row = bytes(width // 8 + 2)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
