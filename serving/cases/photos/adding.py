"""Adding a photo to a case: a step like any other, that makes no form stale."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from serving.audit.trail import Actor
from serving.cases.errors import Incomplete
from serving.cases.photos import repository
from serving.cases.photos.encoding import Encoded
from serving.cases.repository import Case
from serving.cases.steps import finish, start
from serving.cases.words import cleaned

#: Most photos of one case; beyond that nobody looks at them any more.
MOST_PHOTOS: Final = 40
#: Longest caption, in characters.
LONGEST_CAPTION: Final = 200


def photograph(conn: Connection, actor: Actor, case: Case, *, now: int, photo: Encoded, caption: str = "") -> Case:
    """Keeps a photo, whoever has the case. The same picture sent twice is kept once.

    Raises:
        Incomplete: the case has `MOST_PHOTOS` already (`photos_many`), or the caption is too long (`caption_long`).
        Problem: as `serving.cases.steps.start`.
    """
    caption = " ".join(cleaned(caption, "caption").split())
    if len(caption) > LONGEST_CAPTION:
        raise Incomplete("caption_long", "caption", f"has more than {LONGEST_CAPTION} characters")
    started = start(conn, actor, case, "photograph", revision=None, now=now, alone=False)
    kept = repository.of_case(conn, case.case_no)
    if any(known.digest == photo.digest for known in kept):
        return started.case
    if len(kept) >= MOST_PHOTOS:
        raise Incomplete("photos_many", "photo", f"there are {MOST_PHOTOS} already")
    number = repository.add(conn, case.case_no, actor.staff_id, photo, caption, at=now)
    content = {"photo_no": number, "sha256": photo.digest.hex(), "width": photo.width, "height": photo.height}
    return finish(conn, started, content=content)
