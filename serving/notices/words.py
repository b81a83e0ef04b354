"""The words of a notice: plain, neutral, and nothing that is not known.

A notice says what happens or happened, why, from which data and how, what would have made the difference, under which
reference it can be disputed, and until when. It concludes nothing about a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from serving.notices.counterfactual import Change
from serving.reasons.told import words_of
from serving.texts import Texts

Kind = Literal["check", "verdict", "restriction", "dispute_received", "dispute_decided"]
#: Why a return is looked at: because of its risk, by lot, because refunds of this customer wait, or because somebody
#: asked for it by hand.
Picked = Literal["risk", "random", "restricted", "hand"]
#: Whether a difference was found; `unknown`: the model or the policy that decided is not there to be asked.
Difference = Literal["found", "none", "unknown", "not_asked"]

_BULLET: Final = "- "


@dataclass(frozen=True, slots=True)
class Told:
    """What a notice tells. Times in microseconds since 1970 UTC.

    Attributes:
        reference: of the case, to be quoted.
        handling: what the policy says to the customer about the action, in the language of the notice.
        reasons, reassurances: their codes, strongest first.
        since: the customer's first order, if it is known.
        changes: what would have made the difference, where `difference` is `found`.
        disputable_until: the last moment to dispute over the API.
        answer_days: within how many days another person has looked at what is disputed.
        findings: what was seen.
    """

    kind: Kind
    reference: str
    return_id: str
    order_id: str
    disputable_until: int
    handling: str = ""
    picked: Picked = "risk"
    one_in: int = 0
    reasons: tuple[str, ...] = ()
    reassurances: tuple[str, ...] = ()
    since: int | None = None
    difference: Difference = "not_asked"
    changes: tuple[Change, ...] = ()
    verdict: str = ""
    basis: str | None = None
    findings: tuple[str, ...] = ()
    until: int = 0  # end of a restriction, or by when a dispute is decided
    received: int = 0
    outcome: str = ""
    assessed: bool = False
    answer_days: int = 14


def compose(t: Texts, told: Told) -> str:
    """The notice in the language of `t`: paragraphs with an empty line between them."""
    paragraphs = [t("notice.about", return_id=told.return_id, order_id=told.order_id), *_BODIES[told.kind](t, told)]
    return "\n\n".join([*paragraphs, t("notice.reference", reference=told.reference), *_rights(t, told)]) + "\n"


def subject(t: Texts, kind: str) -> str:
    """What stands above a notice."""
    return t(f"notice.subject.{kind}")


def _check(t: Texts, told: Told) -> list[str]:
    paragraphs = [told.handling] if told.handling else []
    if told.picked == "random":
        paragraphs.append(t("notice.picked.random", one_in=told.one_in))
    elif told.picked == "restricted":
        paragraphs.append(t("notice.picked.restricted", day=t.writing.date_text(told.until)))
    else:
        paragraphs.append(t(f"notice.picked.{told.picked}"))
    if told.picked == "risk":
        paragraphs += _reasons(t, told)
    if told.assessed:
        paragraphs.append(_data(t, told))
    if told.picked == "risk" and told.difference != "not_asked":
        paragraphs.append(_difference(t, told))
    return paragraphs


def _verdict(t: Texts, told: Told) -> list[str]:
    paragraphs = [t(f"notice.verdict.{told.verdict}")]
    if told.verdict == "abuse_confirmed":
        paragraphs += _grounds(t, told)
    if told.verdict != "cleared" and told.assessed:
        paragraphs.append(_data(t, told))
    return paragraphs


def _grounds(t: Texts, told: Told) -> list[str]:
    seen = [t(f"notice.finding.{finding}") for finding in told.findings]
    paragraphs = [t(f"notice.basis.{told.basis or 'inspection'}")]
    if seen:
        paragraphs[0] += "\n" + _listed(seen)
    return [*paragraphs, t("notice.person")]


def _restriction(t: Texts, told: Told) -> list[str]:
    return [t("notice.restriction", day=t.writing.date_text(told.until))]


def _dispute_received(t: Texts, told: Told) -> list[str]:
    day, until = t.writing.date_text(told.received), t.writing.date_text(told.until)
    return [t("notice.dispute.received", day=day, until=until)]


def _dispute_decided(t: Texts, told: Told) -> list[str]:
    return [t(f"notice.dispute.{told.outcome}"), *_verdict(t, told), t("notice.dispute.further")]


_BODIES: Final = {
    "check": _check,
    "verdict": _verdict,
    "restriction": _restriction,
    "dispute_received": _dispute_received,
    "dispute_decided": _dispute_decided,
}


def _reasons(t: Texts, told: Told) -> list[str]:
    paragraphs = []
    for heading, codes in (("notice.taken_into_account", told.reasons), ("notice.in_favour", told.reassurances)):
        if codes:
            said = dict.fromkeys(words_of(code, t.language).customer for code in codes)
            paragraphs.append(t(heading) + "\n" + _listed(said))
    return paragraphs


def _data(t: Texts, told: Told) -> str:
    if told.since is None:
        return t("notice.data_of_order")
    return t("notice.data", since=t.writing.date_text(told.since))


def _difference(t: Texts, told: Told) -> str:
    if told.difference != "found":
        return t(f"notice.difference.{told.difference}")
    said = [_change(t, change) for change in told.changes]
    changes = said[0] if len(said) == 1 else t("notice.difference.and", one=said[0], other=said[1])
    return t("notice.difference.found", changes=changes)


def _change(t: Texts, change: Change) -> str:
    key = f"notice.difference.{change.lever}"
    return t(key, count=change.number) if change.window else t(key)


def _rights(t: Texts, told: Told) -> Sequence[str]:
    if told.kind == "dispute_received":
        return [t("notice.all_stored")]
    day = t.writing.date_text(told.disputable_until)
    return [t("notice.dispute.how", day=day, days=told.answer_days), t("notice.all_stored")]


def _listed(said: Iterable[str]) -> str:
    return "\n".join(_BULLET + each for each in said)
