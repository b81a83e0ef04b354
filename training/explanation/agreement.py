"""Agreement: do the reasons fit the kind of abuse that was found?

`kinds.toml` says which reasons would be right for each kind. Because a few reasons fit several kinds and every return
is told several, some agreement comes by chance; the figure beside it says how much: how often the reasons of returns of
all *other* kinds would have fitted this one.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from features.ledger.vocabulary import ABUSE_TYPES
from features.reasons import CODES, Places
from training.errors import TrainingError

Flags = npt.NDArray[np.bool_]
Kinds = npt.NDArray[np.object_]

#: Names earlier findings; true of a kind only where there were some.
FINDINGS_CODE: Final = "R01"
FIRST: Final = 3


class KindReasons(BaseModel):
    """Codes of the reasons that would be right for a kind of abuse, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: tuple[str, ...] = Field(min_length=1)
    because: str = Field(min_length=1)


@lru_cache
def right_reasons() -> dict[str, KindReasons]:
    """The content of `kinds.toml`, by kind.

    Raises:
        TrainingError: a kind or a code is unknown, or an entry is incomplete.
    """
    text = resources.files("training.explanation").joinpath("kinds.toml").read_text(encoding="utf-8")
    try:
        kinds = TypeAdapter(dict[str, KindReasons]).validate_python(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise TrainingError(f"kinds.toml: {error}") from error
    for kind, entry in kinds.items():
        if kind not in ABUSE_TYPES:
            raise TrainingError(f"kinds.toml: there is no kind of abuse {kind!r}")
        unknown = set(entry.codes) - set(CODES)
        if unknown:
            raise TrainingError(f"kinds.toml: {kind}: there is no reason {min(unknown)}")
    return kinds


def fits(kind: str, reasons: Places, found_before: Flags) -> Flags:
    """Whether one of the first three reasons (n, m) is right for `kind`. `found_before` (n,): whether an earlier check
    of the same customer found something. (n,)."""
    codes = right_reasons()[kind].codes
    right = np.array([CODES.index(code) for code in codes])
    hit = np.isin(reasons[:, :FIRST], right)
    if FINDINGS_CODE in codes:
        hit &= (reasons[:, :FIRST] != CODES.index(FINDINGS_CODE)) | found_before[:, None]
    return np.asarray(hit.any(axis=1))


def agreement(kinds: Kinds, reasons: Places, found_before: Flags, acts: Kinds | None = None) -> pd.DataFrame:
    """How often the reasons fit, by kind of abuse, and for `all` kinds at the top.

    `kinds` (n,) are those of `kinds.toml`; rows of other kinds or of none are left aside. Columns: `n`, `fits` (share
    of returns with a right reason among the first three) and `by_chance` (the same over returns of all other kinds).
    With `acts` (n,), what was done where that has a kind of its own (a ring's false claim), also `fits_act`: the share
    with a reason that is right for the kind or for the act.
    """
    known = np.isin(kinds, list(right_reasons()))
    kinds, reasons, found_before = kinds[known], reasons[known], found_before[known]
    done = None if acts is None else acts[known]
    records = []
    for kind in sorted(set(kinds.tolist())):
        its, hit = kinds == kind, fits(kind, reasons, found_before)
        record = {"kind": kind, "n": float(its.sum()), "fits": float(hit[its].mean()), "by_chance": np.nan}
        if not its.all():
            record["by_chance"] = float(hit[~its].mean())
        if done is not None:
            for act in set(done[its].tolist()) & set(right_reasons()):
                hit = hit | ((done == act) & fits(act, reasons, found_before))
            record["fits_act"] = float(hit[its].mean())
        records.append(record)
    columns = ["n", "fits", "by_chance", *([] if done is None else ["fits_act"])]
    table = pd.DataFrame(records, columns=["kind", *columns]).set_index("kind")
    total = float(table["n"].sum())
    means = {name: float((table[name] * table["n"]).sum() / total) if total else np.nan for name in columns[1:]}
    overall = pd.DataFrame([{"n": total, **means}], index=pd.Index(["all"], name="kind"))
    return pd.concat([overall, table]) if len(table) else overall
