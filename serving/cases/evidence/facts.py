"""The facts of an evidence file for machines: one JSON document, and tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson

from serving.cases.evidence.material import Material
from serving.clock import iso

#: What a spreadsheet would take for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def document(material: Material) -> bytes:
    """All that the file says, as JSON (UTF-8) with sorted keys; times in ISO 8601 UTC, money in 1/100."""
    claim = asdict(material.claim)
    said: dict[str, Any] = {
        "case": {
            "case_id": material.case_id,
            "opened_at": iso(material.opened_at),
            "opened_because": material.opened_because,
        },
        "kind": material.kind,
        "language": material.language,
        "as_of": iso(material.as_of),
        "asked": {
            **{
                name: claim[name] for name in claim if name not in ("lines", "deliveries", "requested_at", "ordered_at")
            },
            "requested_at": iso(material.claim.requested_at),
            "ordered_at": iso(material.claim.ordered_at),
            "value_minor": material.claim.value_minor,
            "lines": [line._asdict() for line in material.claim.lines],
            "deliveries": [
                {"delivered_at": iso(each.delivered_at), "proof": each.proof} for each in material.claim.deliveries
            ],
        },
        "rights": dict(material.rights),
        "timeline": [{"at": iso(m.at), "kind": m.kind, "words": list(m.words)} for m in material.timeline.moments],
        "checks": _listed(material.checked),
        "findings": _listed(material.found),
        "verdicts": _listed(material.decided),
        "photos": [
            {
                "file": photo_name(number),
                "at": iso(each.photo.at),
                "who": each.who,
                "caption": each.photo.caption,
                "width": each.photo.width,
                "height": each.photo.height,
                "sha256": each.photo.digest.hex(),
            }
            for number, each in enumerate(material.pictures, 1)
        ],
        "audit": _listed(material.done),
    }
    if material.kind == "dispute":
        said |= {
            "reasons": _listed(material.reasons),
            "reassurances": _listed(material.reassurances),
            "disputes": _listed(material.disputed),
            "notices": _listed(material.noticed),
            "versions": dict(material.versions),
        }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def tables(material: Material) -> dict[str, bytes]:
    """File name -> CSV (UTF-8) of the timeline, the findings and the audit trail."""
    moments = ((iso(m.at), m.kind, *[*m.words, "", ""][:2]) for m in material.timeline.moments)
    return {
        "timeline.csv": _csv(("at", "kind", "word", "second_word"), moments),
        "findings.csv": _csv(
            ("at", "line_id", "finding", "who"), ((iso(f.at), f.line_id, f.finding, f.who) for f in material.found)
        ),
        "audit.csv": _csv(("at", "who", "operation"), ((iso(d.at), d.who, d.operation) for d in material.done)),
    }


def photo_name(number: int) -> str:
    """Name of the n-th photo within the file, from 1."""
    return f"photos/photo-{number:02d}.jpg"


def _listed(records: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {
            name: iso(value) if name.endswith("at") and value is not None else value
            for name, value in r._asdict().items()
        }
        for r in records
    ]


def _csv(head: Sequence[str], body: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in body:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return out.getvalue().encode()
