"""Appending what was found and concluded about a return: inspections and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.ledger.append.batch import Batch, shown, shown_time
from features.ledger.append.lookups import ReturnLine, insert, return_lines_of, select_in, storable

_TIMES = ("recorded_at", "pooled_at", "digest")
_INSPECTION_COLUMNS = (
    "return_id",
    "order_no",
    "line_id",
    "inspected_at",
    "finding",
    "trigger",
    "propensity",
    *_TIMES,
)
_VERDICT_COLUMNS = ("return_id", "order_no", "decided_at", "verdict", "abuse_type", "basis", *_TIMES)


def append_inspections(batch: Batch) -> None:
    """Appends inspections: each of a known return (and line of it, if one is named) and not before it."""
    returns = return_lines_of(batch)
    existing = "SELECT return_id, inspected_at, line_id, digest FROM inspections WHERE return_id IN"
    known: dict[tuple[str, int, str], bytes] = {
        (return_id, inspected_at, line_id): bytes(digest)
        for return_id, inspected_at, line_id, digest in select_in(batch.conn, existing, storable(returns))
    }
    accepted = []
    for index, row in enumerate(batch.rows):
        lines = _lines(batch, index, row, returns)
        if lines is None:
            continue
        propensity = row.get("propensity")
        content = {
            "return_id": row["return_id"],
            "inspected_at": row["inspected_at"],
            "finding": row["finding"],
            "trigger": row.get("trigger"),
            "propensity": None if propensity is None else float(propensity),
            "line_id": row.get("line_id") or "",
        }
        digest = batch.digest(index, content)
        key = (content["return_id"], content["inspected_at"], content["line_id"])
        if digest is None or not batch.is_new(index, "return_id", digest, known.get(key)):
            continue
        if content["line_id"]:
            lines = [line for line in lines if line.line_id == content["line_id"]]
            if not lines:
                place = f"line {shown(content['line_id'])} is not part of return {shown(content['return_id'])}"
                batch.refuse(index, "line_id", place)
                continue
        if not _fits(batch, index, row, "inspected_at", lines[0]):
            continue
        recorded, pooled = _times(batch, row, content["inspected_at"], lines)
        known[key] = digest
        accepted.append(
            (
                content["return_id"],
                lines[0].order_no,
                content["line_id"],
                content["inspected_at"],
                content["finding"],
                content["trigger"],
                content["propensity"],
                recorded,
                pooled,
                digest,
            )
        )
        batch.accept(lines[0].order_no, recorded)
    insert(batch.conn, "inspections", _INSPECTION_COLUMNS, accepted)


def append_verdicts(batch: Batch) -> None:
    """Appends verdicts: each of a known return and not before it."""
    returns = return_lines_of(batch)
    existing = "SELECT return_id, decided_at, digest FROM verdicts WHERE return_id IN"
    known: dict[tuple[str, int], bytes] = {
        (return_id, decided_at): bytes(digest)
        for return_id, decided_at, digest in select_in(batch.conn, existing, storable(returns))
    }
    accepted = []
    for index, row in enumerate(batch.rows):
        lines = _lines(batch, index, row, returns)
        if lines is None:
            continue
        content = {
            "return_id": row["return_id"],
            "decided_at": row["decided_at"],
            "verdict": row["verdict"],
            "abuse_type": row.get("abuse_type"),
            "basis": row.get("basis"),
        }
        digest = batch.digest(index, content)
        key = (content["return_id"], content["decided_at"])
        if (
            digest is None
            or not batch.is_new(index, "return_id", digest, known.get(key))
            or not _fits(batch, index, row, "decided_at", lines[0])
        ):
            continue
        recorded, pooled = _times(batch, row, content["decided_at"], lines)
        known[key] = digest
        return_id, *rest = content.values()
        accepted.append((return_id, lines[0].order_no, *rest, recorded, pooled, digest))
        batch.accept(lines[0].order_no, recorded)
    insert(batch.conn, "verdicts", _VERDICT_COLUMNS, accepted)


def _lines(
    batch: Batch, index: int, row: Mapping[str, Any], returns: Mapping[str, list[ReturnLine]]
) -> list[ReturnLine] | None:
    lines = returns.get(row["return_id"])
    if lines is None:
        batch.refuse(index, "return_id", f"unknown return {shown(row['return_id'])}")
    return lines


def _fits(batch: Batch, index: int, row: Mapping[str, Any], column: str, line: ReturnLine) -> bool:
    if not batch.in_time(index, column, row[column], row):
        return False
    if row[column] < line.requested_at:
        moment = shown_time(line.requested_at)
        batch.refuse(index, column, f"lies before its return {shown(line.return_id)} of {moment}")
        return False
    return True


def _times(batch: Batch, row: Mapping[str, Any], occurred_us: int, lines: list[ReturnLine]) -> tuple[int, int]:
    known_us = min(line.recorded_at for line in lines)  # when the first of its lines was known
    return batch.times(row, occurred_us, known_us, max(line.watermark_us for line in lines))
