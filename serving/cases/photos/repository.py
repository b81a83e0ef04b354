"""SQL of the photos. Rows are only ever added."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from serving.audit.trail import Actor, record
from serving.cases.photos.encoding import Encoded

#: Most photos of one case; beyond that nobody looks at them any more.
MOST_PHOTOS: Final = 40
#: Longest caption, in characters.
LONGEST_CAPTION: Final = 200

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


def add(conn: Connection, actor: Actor, case_no: int, photo: Encoded, caption: str, *, at: int) -> int:
    """Keeps a photo and notes it in the audit trail; gives its number.

    The same picture sent twice to a case is kept once.

    Raises:
        ValueError: the case has `MOST_PHOTOS` already, or the caption is longer than `LONGEST_CAPTION`.
    """
    caption = " ".join(caption.split())
    if len(caption) > LONGEST_CAPTION:
        raise ValueError(f"a caption has at most {LONGEST_CAPTION} characters")
    kept = of_case(conn, case_no)
    for known in kept:
        if known.digest == photo.digest:
            return known.photo_no
    if len(kept) >= MOST_PHOTOS:
        raise ValueError(f"a case has at most {MOST_PHOTOS} photos")
    ((photo_no,),) = rows(
        conn,
        "INSERT INTO case_photos (case_no, staff_id, at, caption, width, height, digest, content, thumbnail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING photo_no",
        (
            case_no,
            actor.staff_id,
            at,
            caption,
            photo.width,
            photo.height,
            photo.digest,
            photo.content,
            photo.thumbnail,
        ),
    )
    content = {"photo_no": photo_no, "sha256": photo.digest.hex(), "width": photo.width, "height": photo.height}
    record(conn, actor, "case.photograph", at=at, case_no=case_no, content=content)
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
