"""Making notices: from a case to the words that are sent and kept.

`prepare` reads, searches for what would have made the difference, and finds the words; it takes some milliseconds and
belongs in a thread. `make` keeps them, once for each kind and round of a case, and tells connected systems.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from sqlalchemy.engine import Connection

from features.service import VECTOR
from serving.hooks import outbox
from serving.model.loaded import LoadedModel
from serving.notices import counterfactual, repository
from serving.notices.counterfactual import Change
from serving.notices.deciding import handling, language_of, would_check
from serving.notices.repository import Assessed, CaseFacts, Notice
from serving.notices.telling import TOLD
from serving.notices.words import Difference, Kind, Picked, Told, compose
from serving.policy.checks import LOOKS
from serving.policy.policy import Policy
from serving.texts import texts

KINDS: Final[tuple[Kind, ...]] = ("check", "verdict", "restriction", "dispute_received", "dispute_decided")
_VALUE: Final = VECTOR.index("request_value")


class Prepared(NamedTuple):
    """A notice that has its words and is not kept yet."""

    case: CaseFacts
    kind: Kind
    round: int
    language: str
    words: str


def prepare(
    conn: Connection, kind: Kind, case_no: int, round_: int, *, policy: Policy, model: LoadedModel | None, now: int
) -> Prepared | None:
    """The words of a notice, None where the case no longer has what it would tell of. Not for the event loop.

    `model` is the one in use; a difference is only told if it is the one that made the assessment.
    """
    case = repository.case_facts(conn, case_no)
    if case is None:
        return None
    assessed = repository.assessed(conn, case.return_id)
    told = TOLD[kind](conn, case, assessed, round_, now)
    if told is None:
        return None
    told = replace(told, answer_days=policy.cases.opened["dispute"].due_days)
    if kind == "check":
        told = _with_check(conn, told, case, assessed, policy, model)
    language = language_of(policy, case.country)
    return Prepared(case, kind, round_, language, compose(texts(language), told))


def make(conn: Connection, prepared: Prepared, *, now: int) -> str:
    """Keep a notice; gives its id, and that of the one that was made before, if one was."""
    case, kind = prepared.case, prepared.kind
    earlier = repository.of_round(conn, case.case_no, kind, prepared.round)
    if earlier is not None:
        return earlier
    notice = Notice(
        secrets.token_hex(12),
        case.customer_id,
        case.case_no,
        case.return_id,
        kind,
        prepared.round,
        prepared.language,
        prepared.words,
        now,
    )
    repository.add(conn, notice)
    content = {
        "notice_id": notice.notice_id,
        "kind": kind,
        "return_id": notice.return_id,
        "language": notice.language,
    }
    outbox.put(conn, "notice.made", content, now)
    return notice.notice_id


def difference(
    assessed: Assessed | None, case: CaseFacts, policy: Policy, model: LoadedModel | None
) -> tuple[Difference, tuple[Change, ...]]:
    """What would have made the difference between a look and none, and whether that could be found out."""
    vector = None if assessed is None else np.frombuffer(assessed.vector, dtype="<f8")
    if (
        assessed is None
        or vector is None
        or len(vector) != len(VECTOR)
        or orjson.loads(assessed.answer).get("policy_version") != policy.version
        or model is None
        or model.version != assessed.model_version
    ):
        return "unknown", ()
    found = counterfactual.search(vector, model, would_check(policy, case, int(vector[_VALUE])))
    return ("none", ()) if found is None else ("found", found.changes)


def _with_check(
    conn: Connection,
    told: Told,
    case: CaseFacts,
    assessed: Assessed | None,
    policy: Policy,
    model: LoadedModel | None,
) -> Told:
    answer: dict[str, Any] = {} if assessed is None else orjson.loads(assessed.answer)
    picked = _picked(case)
    restricted = repository.restricted_until(conn, case.customer_id, case.opened_at)
    if picked == "risk" and restricted and not _by_risk(case, answer, policy):
        picked = "restricted"
    asked: tuple[Difference, tuple[Change, ...]] = ("not_asked", ())
    if picked == "risk":
        asked = difference(assessed, case, policy, model)
    return replace(
        told,
        handling=handling(policy, case),
        picked=picked,
        one_in=round(1 / case.propensity) if case.propensity else 0,
        until=restricted or 0,
        reasons=tuple(reason["code"] for reason in answer.get("reasons", ())),
        reassurances=tuple(reason["code"] for reason in answer.get("reassurances", ())),
        difference=asked[0],
        changes=asked[1],
    )


def _by_risk(case: CaseFacts, answer: dict[str, Any], policy: Policy) -> bool:
    """Whether the risk alone asks for a look."""
    if case.risk is None or case.risk_band is None:
        return True
    sufficient = bool(answer.get("history", {}).get("sufficient", True))
    return would_check(policy, case, case.value_minor)(case.risk, case.risk_band, sufficient)


def _picked(case: CaseFacts) -> Picked:
    if case.opened_because == "hand":
        return "hand"
    return "risk" if case.action in LOOKS else "random"
