"""`returnwise promote`: judge a version, keep what came out, and make it the champion if nothing speaks against it."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from features.settings import Settings
from training.errors import PromotionRefused
from training.gate.bounds import Bounds
from training.gate.judge import GateReport, judge_version
from training.gate.page import files
from training.registry.log import describe_version, log_gate
from training.registry.promote import promote

#: MLflow keeps so many characters of a tag, and a reason needs no more.
_LONGEST_WHY: Final = 2_000


@dataclass(frozen=True)
class Promotion:
    """A version that has become the champion, what the gate said of it, and the MLflow run `gate` that holds it."""

    report: GateReport
    run_id: str
    overridden: bool

    def lines(self) -> list[str]:
        """For people."""
        how = ", though the gate refuses it; who and why is recorded" if self.overridden else ""
        return [
            f"version {self.report.version} is the champion{how}",
            *(f"{check.name} ({check.state}): {check.text}" for check in self.report.checks),
            f"The gate's table is in the run {self.run_id}: gate/gate.html.",
        ]


def promote_judged(
    settings: Settings,
    version: str | int | None = None,
    *,
    override: str | None = None,
    by: str | None = None,
    bounds: Bounds | None = None,
) -> Promotion:
    """Judge a version (the newest if none is named), and make it the champion if no check fails.

    With `override`, a reason in words, it becomes the champion whatever the checks say; the reason, who gave it (`by`,
    else the user of the operating system), when, and what failed are kept as tags of the version. Whether refused or
    not, the run `gate` holds every figure.

    Raises:
        PromotionRefused: a check fails and nobody overrides it, or `override` is empty. The champion stays.
        RegistryError: there is no such version, or it could not serve.
    """
    why = None if override is None else override.strip()
    if why is not None and not 0 < len(why) <= _LONGEST_WHY:
        raise PromotionRefused(f"an override needs a reason, of at most {_LONGEST_WHY:,} characters")
    report = judge_version(settings, version, bounds)
    failed = ", ".join(check.name for check in report.failed)
    verdict = "passed" if not failed else "refused" if why is None else "overridden"
    who, at = (by or "").strip() or _user(), datetime.now(tz=UTC).isoformat(timespec="seconds")
    tags = {
        "gate": verdict,
        "gate_failed": failed,
        "gate_at": at,
        "gate_known_until": report.known_until,
        "gate_against": report.champion or "",
    }
    if verdict == "overridden":
        tags |= {"override_by": who, "override_why": str(why), "override_at": at, "override_failed": failed}
    run_id = log_gate(
        settings, files(report, tags), report.version, report.metrics, tags | {"gate_by": who}, report.data
    )
    if verdict == "refused":
        raise PromotionRefused(_refusal(report, run_id))
    note = f"Promoted on {at[:10]} by {who}"
    note += f" although the gate refused it ({failed}): {why}" if verdict == "overridden" else "; the gate was passed."
    describe_version(settings, report.version, tags | {"gate_run": run_id, "promoted_by": who, "promoted_at": at}, note)
    promote(settings, report.version)
    return Promotion(report, run_id, verdict == "overridden")


def _refusal(report: GateReport, run_id: str) -> str:
    stays = f"version {report.champion} stays the champion" if report.champion else "nothing has changed"
    return "\n".join(
        [
            f"version {report.version} is not promoted: it fails {len(report.failed)} of {len(report.checks)} checks, "
            f"and {stays}",
            *(f"{check.name}: {sentence}" for check in report.failed for sentence in check.sentences),
            f"All figures are in the run {run_id}: gate/gate.html. To promote it all the same, on record: "
            f'returnwise promote {report.version} --override --why "..."',
        ]
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may have a user without a name
        return f"user {os.getuid()}"
