"""How the things of an evidence file are called in the language of the file."""

from __future__ import annotations

from serving.cases.claim import Claim
from serving.cases.evidence.material import Material
from serving.cases.timeline import Moment
from serving.texts import Texts


def who(t: Texts, name: str) -> str:
    """A role and a letter ("reviewer:A") as people read them."""
    role, _, letter = name.partition(":")
    said = t.of("role", role) if f"role.{role}" in t else t.of("evidence.who", role)
    return f"{said} {letter}".rstrip()


def happened(t: Texts, moment: Moment) -> str:
    """A moment of the timeline in a sentence of its own."""
    said = t(f"timeline.{moment.kind}")
    words = [code(t, moment, place) for place in range(len(moment.words))]
    return f"{said}: {', '.join(words)}" if words else said


def short(t: Texts, moment: Moment) -> str:
    """A moment as its label in the picture."""
    words = code(t, moment, 0) if moment.words and moment.kind in ("found", "other_found", "decided") else ""
    return words or t(f"timeline.{moment.kind}")


def code(t: Texts, moment: Moment, place: int) -> str:
    """A word of a moment; see `serving.cases.timeline.Moment`."""
    return t.of(_SECTIONS[moment.kind][place], moment.words[place])


_SECTIONS = {
    "delivered": ("proof",),
    "requested": ("kind", "reason"),
    "other_requested": ("kind", "reason"),
    "opened": ("opened_because",),
    "found": ("finding",),
    "other_found": ("finding",),
    "decided": ("verdict", "basis"),
}


def asked(t: Texts, material: Material) -> list[tuple[str, str]]:
    """What was asked for, as names and values."""
    claim, w = material.claim, t.writing
    pairs = [
        ("case", material.case_id),
        ("return", claim.return_id),
        ("order", claim.order_id),
        ("customer", claim.customer_id),
        ("ordered", w.date_time_text(claim.ordered_at)),
        ("requested", w.date_time_text(claim.requested_at)),
        ("kind", t.of("kind", claim.kind)),
        ("reason", t.of("reason", claim.reason)),
        ("resolution", t.of("resolution", claim.resolution) if claim.resolution else ""),
        ("value", w.money_text(claim.value_minor, claim.currency)),
        ("delivery", delivery(t, claim)),
    ]
    return [(t(f"evidence.asked.{name}"), value) for name, value in pairs if value]


def delivery(t: Texts, claim: Claim) -> str:
    """When the order was delivered, and how that was proven."""
    found = claim.delivery
    if found is None:
        return t("evidence.not_delivered")
    return f"{t.writing.date_time_text(found.delivered_at)} ({t.of('proof', found.proof)})"


def rights(t: Texts, material: Material) -> str:
    """What the customer is entitled to, in a sentence."""
    basis = material.rights.get("basis")
    if not basis:
        return ""
    until = next((window.end for window in material.timeline.windows), None)
    if until is None:
        return t("evidence.rights_open", basis=t.of("rights", basis))
    return t("evidence.rights_until", basis=t.of("rights", basis), day=t.writing.date_text(until - 1))


def operation(t: Texts, name: str) -> str:
    """An operation of the audit trail; who did it stands beside it."""
    return t.of("operation", name.removeprefix("system.").removeprefix("customer.").replace(".", "_"))
