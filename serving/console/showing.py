"""What the templates of a case's showing side need: `case/showing.html` and what it includes."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import Connection

from serving.cases.claim import Claim
from serving.cases.evidence import wording
from serving.cases.pictures import TimelinePicture, shares_picture, timeline_picture
from serving.cases.repository import Case
from serving.cases.shoppers import DailyLikeness
from serving.cases.showing import Shown, show
from serving.console.guest import Visit
from serving.texts import LANGUAGES, Texts, texts

#: Where the shares begin in their picture, and how wide 100% are; the template has the same.
SHARES_LEFT: Final = 96.0
SHARES_WIDTH: Final = 380.0

_likeness: Final = DailyLikeness()


def showing(conn: Connection, case: Case, claim: Claim, visit: Visit) -> dict[str, Any]:
    """The values, beside `case` and `names`."""
    shown = show(conn, case, claim, language=visit.language, now=visit.now, likeness=_likeness.get(conn, visit.now))
    beside = shown.beside
    return {
        "shown": shown,
        "timeline": _timeline(visit.t, shown),
        "happened": [wording.happened(visit.t, moment) for moment in shown.timeline.moments],
        "share_rows": () if beside is None else shares_picture(beside, left=SHARES_LEFT, width=SHARES_WIDTH),
        "shares_at": (SHARES_LEFT, SHARES_WIDTH),
        "languages": [(code, texts(code).writing.name) for code in LANGUAGES],
    }


def _timeline(t: Texts, shown: Shown) -> TimelinePicture:
    """With labels of 12 pixels, in a picture that is 720 wide."""
    labels = [f"{number} {wording.short(t, m)}" for number, m in enumerate(shown.timeline.moments, 1)]
    return timeline_picture(shown.timeline, labels, margin=12, gap=12, measure=lambda text: 6.7 * len(text) + 6)
