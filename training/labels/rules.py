"""What counts as abuse found, as none found, and as unknown.

A return is labelled by what somebody saw or concluded about it, never by a score or by an opinion alone:

positive
    a verdict `abuse_confirmed` on the basis of an inspection, a carrier trace or an admission; without a verdict, a
    finding of concern
negative
    a verdict `cleared`; without a verdict, the finding `as_described` or `not_arrived`
unknown
    not checked; `damaged` alone; a verdict `inconclusive`; an opinion or a policy without a finding, or against one

Of several verdicts the last one counts; of several inspections of one line the last one of that line. A verdict that
rests on evidence overrides the findings. One that rests on opinion or policy (or names no basis, for
`abuse_confirmed`) does not: it leaves a finding that agrees with it as it is, and makes one that contradicts it
unknown.

Each label has a strength: `verdict` (a person concluded, on evidence), `finding` (somebody saw it, nobody concluded).
What kind of abuse it was is taken from the verdict, where it names one, else from what was found.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, Select, select

from features.ledger import tables
from features.ledger.vocabulary import CLEARING_FINDINGS, CONCERN_FINDINGS

Strength = Literal["verdict", "finding"]

EVIDENCE: Final = ("inspection", "carrier_trace", "admission")
WEAK: Final = ("opinion", "policy")

#: The kind of abuse that a finding speaks for where no verdict names one.
FOUND_KIND: Final = {
    "worn": "wardrobing",
    "wrong_item": "switched_item",
    "counterfeit": "counterfeit_item",
    "missing_item": "empty_parcel",
    "empty_package": "empty_parcel",
    "delivery_shown": "false_claim",
}

#: Columns of a table of labels, one row per return with a label or a reason why it has none.
COLUMNS: Final = ("return_id", "label", "strength", "known_at", "trigger", "propensity", "abuse_type")


def read_labels(conn: Connection, until_us: int) -> pd.DataFrame:
    """The labels as they were known at `until_us` (microseconds since epoch), from rows recorded until then.

    One row per return that was looked at: `label` (1, 0, NaN: unknown), `strength`, `known_at` (when the ledger knew
    what decides the label), `trigger` and `propensity` of its first inspection, and `abuse_type` of a positive one.
    """
    i, v = tables.inspections.c, tables.verdicts.c
    inspections = _frame(
        conn,
        select(
            i.return_id, i.line_id, i.inspected_at, i.inspection_no, i.finding, i.trigger, i.propensity, i.recorded_at
        )
        .where(i.recorded_at <= until_us)
        .order_by(i.inspected_at, i.inspection_no),
    )
    verdicts = _frame(
        conn,
        select(v.return_id, v.decided_at, v.verdict_no, v.verdict, v.basis, v.abuse_type, v.recorded_at)
        .where(v.recorded_at <= until_us)
        .order_by(v.decided_at, v.verdict_no),
    )
    return label_returns(inspections, verdicts)


def label_returns(inspections: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Labels of inspections (return_id, line_id, finding, trigger, propensity, recorded_at) and of verdicts
    (return_id, verdict, basis, abuse_type, recorded_at), both in order of time. Gives `COLUMNS`, in order of
    `return_id`."""
    found = _by_findings(inspections)
    decided = _by_verdicts(verdicts)
    both = found.join(decided, how="outer", lsuffix="_found", rsuffix="_decided").sort_index()

    by_finding = both["label_found"].to_numpy(dtype=np.float64)
    by_verdict = both["label_decided"].to_numpy(dtype=np.float64)
    standing = both["standing"].fillna("none").to_numpy(dtype=str)
    contradicted = (standing == "weak") & (by_finding != by_verdict)
    label = np.where(standing == "strong", by_verdict, np.where(contradicted, np.nan, by_finding))

    known_at = np.where(
        (standing == "strong") | contradicted,
        both["known_decided"].to_numpy(dtype=np.float64),
        both["known_found"].to_numpy(dtype=np.float64),
    )
    return pd.DataFrame(
        {
            "return_id": both.index.astype(object),
            "label": label,
            "strength": np.where(standing == "strong", "verdict", "finding"),
            "known_at": np.nan_to_num(known_at, nan=0.0).astype(np.int64),
            "trigger": both["trigger"].to_numpy(dtype=object),
            "propensity": both["propensity"].to_numpy(dtype=np.float64),
            "abuse_type": _kind(label, both["named"], both["found"]),
        }
    ).reset_index(drop=True)


def _kind(label: npt.NDArray[np.float64], named: pd.Series[str], found: pd.Series[str]) -> npt.NDArray[np.object_]:
    """Of positive labels the kind that a verdict names, else the one that a finding speaks for. (n,) each."""
    kind = np.where(named.notna(), named, found).astype(object)
    kind[label != 1.0] = None
    return kind


def _by_findings(inspections: pd.DataFrame) -> pd.DataFrame:
    """Per return: the label of its findings, what kind they speak for, when it was known, and why it was looked at."""
    last = inspections.drop_duplicates(["return_id", "line_id"], keep="last")
    concern = last["finding"].isin(CONCERN_FINDINGS)
    clear = last["finding"].isin(CLEARING_FINDINGS)
    known = last["recorded_at"].astype(np.int64)
    by_return = last["return_id"]
    concerned_at = known[concern].groupby(by_return[concern]).min()
    cleared_at = known[clear].groupby(by_return[clear]).max()
    out = inspections.drop_duplicates("return_id").set_index("return_id")[["trigger", "propensity"]].copy()
    out["known_found"] = concerned_at.reindex(out.index).fillna(cleared_at.reindex(out.index))
    out["label_found"] = np.where(
        out.index.isin(concerned_at.index), 1.0, np.where(out.index.isin(cleared_at.index), 0.0, np.nan)
    )
    first = last[concern].drop_duplicates("return_id").set_index("return_id")["finding"]
    out["found"] = first.map(FOUND_KIND).reindex(out.index).astype(object)
    return out


def _by_verdicts(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Per return: what the last verdict says and whether it stands on evidence (`strong`) or not (`weak`)."""
    last = verdicts.drop_duplicates("return_id", keep="last").set_index("return_id")
    confirmed, cleared = last["verdict"] == "abuse_confirmed", last["verdict"] == "cleared"
    weak = last["basis"].isin(WEAK) | (confirmed & ~last["basis"].isin(EVIDENCE))
    strong = (last["verdict"] == "inconclusive") | ~weak
    return pd.DataFrame(
        {
            "label_decided": np.where(confirmed, 1.0, np.where(cleared, 0.0, np.nan)),
            "standing": np.where(strong, "strong", "weak"),
            "known_decided": last["recorded_at"].astype(np.int64),
            "named": last["abuse_type"].astype(object),
        },
        index=last.index,
    )


def _frame(conn: Connection, query: Select[tuple[object, ...]]) -> pd.DataFrame:
    result = conn.execute(query)
    return pd.DataFrame(result.fetchall(), columns=list(result.keys()))
