"""What the page of a case is made of."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import Connection

from features.ledger import vocabulary
from serving.audit import trail
from serving.cases import claim, concluding, lookers, queue, records, repository, work
from serving.cases.checklist import default_checklist
from serving.cases.repository import Case
from serving.console.guest import Visit
from serving.console.showing import showing
from serving.console.wanted import Wanted
from serving.staff import repository as staff

#: Findings in the order of their buttons, with the key that each has after an F: those that clear first.
FINDING_KEYS: Final = {
    "as_described": "a",
    "not_arrived": "n",
    "worn": "w",
    "damaged": "d",
    "wrong_item": "i",
    "counterfeit": "c",
    "missing_item": "m",
    "empty_package": "e",
    "delivery_shown": "t",
}
#: What looking at goods leads to; for claims, what a carrier is asked comes first.
_OF_GOODS: Final = ("as_described", "worn", "damaged", "wrong_item", "counterfeit", "missing_item", "empty_package")
_OF_CLAIMS: Final = ("not_arrived", "delivery_shown", "as_described", "damaged", "wrong_item", "missing_item")


def case_page(conn: Connection, case_id: str, wanted: Wanted, *, visit: Visit) -> dict[str, Any]:
    """The values of `case/page.html`. Reads only; nothing of the risk is in them unless it may be shown."""
    case = repository.find(conn, case_id)
    assert case is not None
    case = case.as_of(visit.now)
    staff_id, t = visit.who.staff_id, visit.t
    risk_is_shown = work.may_see_risk(conn, visit.actor, case)
    asked = claim.read(conn, case.return_id)
    previous, following = queue.neighbours(conn, case, wanted.filters(staff_id), visit.now)
    found = records.findings(conn, case.case_no)
    looking = lookers.of_cases(conn, [case.case_no], visit.now, but=staff_id)
    entries = [e for e in trail.of_case(conn, case.case_no) if e.operation != "case.view"]
    holder = case.held_by(visit.now)
    return showing(conn, case, asked, visit) | {
        "case": case if risk_is_shown else _without_risk(case),
        "claim": asked,
        "listed": default_checklist().of(asked, visit.language),
        "checks": records.checks(conn, case.case_no),
        "findings": found,
        "standing": [finding for finding in found if finding.stands],
        "mine_to_withdraw": _last_of_mine(found, staff_id),
        "has_concern": records.has_concern(conn, case.case_no, case.return_id),
        "notes": records.notes(conn, case.case_no),
        "verdicts": records.verdicts(conn, case.case_no),
        "entries": entries,
        "names": staff.names(conn),
        "looking": looking.get(case.case_no, []),
        "has_judged": any(e.operation == "case.judge" and e.staff_id == staff_id for e in entries),
        "risk_is_shown": risk_is_shown,
        "is_mine": holder == staff_id,
        "is_held": holder not in (None, staff_id),
        "is_barred": staff_id in case.barred,
        "wanted": wanted,
        "previous": previous,
        "following": following,
        "finding_keys": _findings_for(case),
        "judgements": work.JUDGEMENTS,
        "check_results": ("fine", "not_fine", "not_possible"),
        "bases": [(code, t.of("basis", code)) for code in concluding.EVIDENCE],
        "abuse_types": [(code, t.of("abuse_type", code)) for code in vocabulary.ABUSE_TYPES],
        "concern_findings": vocabulary.CONCERN_FINDINGS,
    }


def _findings_for(case: Case) -> dict[str, str]:
    fitting = _OF_CLAIMS if case.kind == "claim" else _OF_GOODS
    return {finding: FINDING_KEYS[finding] for finding in fitting}


def _last_of_mine(found: list[records.Finding], staff_id: str) -> int | None:
    mine = [f.finding_no for f in found if f.stands and f.sent_at is None and f.staff_id == staff_id]
    return mine[-1] if mine else None


def _without_risk(case: Case) -> Case:
    """What nobody should know yet cannot slip out of a template."""
    return case._replace(risk=None, risk_band=None, expected_loss_minor=0)
