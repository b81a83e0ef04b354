"""What stands in a column, as people read it in their language; `data.json` has it as it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from serving.privacy.collect import STAFF
from serving.texts.catalogue import Texts

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CELL: Final = 2_000  # characters of a value on the page; the JSON has it whole
#: Columns that only help the tables to fit together, or mean nothing to a person.
_TECHNICAL: Final = frozenset(
    (
        *("digest", "request_digest", "recorded_at", "pooled_at", "leads", "due_day", "revision", "feature_service"),
        *("return_no", "inspection_no", "verdict_no", "assessment_no", "finding_no", "check_no", "note_no", "photo_no"),
        *("audit_no", "request_no", "width", "height"),
    )
)
_APART: Final = frozenset(("features", "answer"))  # told in their own way
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_MONEY: Final = {"_minor": 100, "_e4": 10_000}
_FLAGS: Final = frozenset(("risk_shown", "second_opinion", "proof_of_purchase"))
#: Where the words of a column's codes stand in the catalogue, and those of a column that is another thing elsewhere.
_WORDS: Final = {
    "abuse_type": "abuse_type",
    "action": "action",
    "basis": "basis",
    "channel": "channel",
    "finding": "finding",
    "judgement": "judgement",
    "opened_because": "opened_because",
    "operation": "operation",
    "outcome": "dispute_outcome",
    "proof": "proof",
    "reason": "reason",
    "resolution": "resolution",
    "rests_in": "state",
    "result": "check_result",
    "risk_band": "band",
    "role": "role",
    "state": "state",
    "tender": "tender",
    "trigger": "trigger",
    "type": "message_type",
    "verdict": "verdict",
    "verdict_before": "verdict",
}
_KINDS: Final = {"returns": "kind", "cases": "kind", "notices": "notice.subject"}


def shown_columns(rows: list[dict[str, Any]]) -> list[str]:
    """The columns that say something to a person in any row."""
    names = (name for name in rows[0] if name not in _APART and name not in _TECHNICAL)
    return [name for name in names if any(row[name] not in (None, "") for row in rows)]


def cell(t: Texts, table: str, name: str, value: Any) -> str:
    """A value of a table's column as people read it."""
    if value is None:
        return ""
    if value == STAFF:
        return t("export.somebody")
    for ending, parts in _MONEY.items():
        if name.endswith(ending) and isinstance(value, int):
            return t.writing.number(value / parts, 2)
    if name in _FLAGS and value in (0, 1):
        return t("export.yes" if value else "export.no")
    if isinstance(value, Mapping | list):
        return _short(orjson.dumps(value).decode())
    if isinstance(value, float):
        return t.writing.number(value, 0 if value.is_integer() else 2 if abs(value) >= 1 else 4)
    if not isinstance(value, str):
        return str(value)
    if _TIME.fullmatch(value):
        return t.writing.date_time_text(_moment(value))
    section = _KINDS.get(table) if name == "kind" else _WORDS.get(name)
    return _short(value if section is None else t.of(section, value.replace(".", "_")))


def _moment(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def _short(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"
