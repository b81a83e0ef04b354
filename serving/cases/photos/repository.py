"""SQL of the photos. Rows are only ever added."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from serving.cases.photos.encoding import Encoded

_HEAD: Final = "photo_no, case_no, staff_id, at, caption, width, height, digest"


class Photo(NamedTuple):
    """A photo without its bytes; `at` in microseconds since 1970 UTC."""

    photo_no: int
    case_no: int
    staff_id: str | None
    at: int
    caption: str
    width: int
    height: int
    digest: bytes


def add(conn: Connection, case_no: int, staff_id: str | None, photo: Encoded, caption: str, *, at: int) -> int:
    """Keeps a photo; gives its number."""
    columns = "case_no, staff_id, at, caption, width, height, digest, content, thumbnail"
    values = (photo.width, photo.height, photo.digest, photo.content, photo.thumbnail)
    ((photo_no,),) = rows(
        conn,
        f"INSERT INTO case_photos ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING photo_no",
        (case_no, staff_id, at, caption, *values),
    )
    return int(photo_no)


def of_case(conn: Connection, case_no: int) -> list[Photo]:
    """The photos of a case, oldest first."""
    found = rows(conn, f"SELECT {_HEAD} FROM case_photos WHERE case_no = ? ORDER BY photo_no", (case_no,))
    return [Photo._make((*row[:7], bytes(row[7]))) for row in found]


def find(conn: Connection, case_no: int, photo_no: int, *, thumbnail: bool = False) -> tuple[bytes, bytes] | None:
    """JPEG bytes of a photo of that case, or of its thumbnail, and the digest of the photo."""
    column = "thumbnail" if thumbnail else "content"
    found = rows(
        conn, f"SELECT {column}, digest FROM case_photos WHERE case_no = ? AND photo_no = ?", (case_no, photo_no)
    )
    return (bytes(found[0][0]), bytes(found[0][1])) if found else None
