"""What came out of a comparison, and whether it is enough to decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipelines.compare.figures import Agreement, Difference
from training.dataset import MIN_POSITIVES

#: A calibration error that is too large by itself, whatever the other version's is.
_CALIBRATED: Final = 0.01
#: Half an interval this small, as a share of the champion's figure, says that two versions are as good as each other.
_ALIKE: Final = 0.05
#: Where so many times the findings would be needed, nobody should wait for them.
_TOO_MANY: Final = 20


@dataclass(frozen=True)
class Counts:
    """How much a comparison rests on. `learned_from`: assessments requested before the training of one of the versions
    ended, `with_odds`: labelled ones of which it is recorded how likely the check was."""

    assessments: int
    computed: int
    left_out: int
    learned_from: int
    labelled: int
    positives: int
    with_odds: int
    effective: float
    triggers: dict[str, int]

    @property
    def negatives(self) -> int:
        """Labelled returns in which no abuse was found."""
        return self.labelled - self.positives


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the same assessments; `since` and `until`: when the first and the last of them were
    requested (microseconds).

    `figures`: by name, `raw` among the labelled returns as they are, `weighted` to stand for all; empty as long as
    nothing, or nothing else than findings, is known. `unfit`: why the service would refuse the challenger as champion.
    """

    champion: str
    challenger: str
    since: int
    until: int
    counts: Counts
    raw: dict[str, Difference]
    weighted: dict[str, Difference]
    agreement: Agreement
    unfit: str | None = None


@dataclass(frozen=True)
class Conclusion:
    """Whether it is enough to decide, and a sentence that says so."""

    enough: bool
    sentence: str


def conclude(made: Comparison) -> Conclusion:
    """What the weighted average precision allows to say, with a word on calibration."""
    counts = made.counts
    if not counts.labelled:
        return Conclusion(
            False, f"Not enough to decide: none of the {counts.assessments:,} assessments has a label yet."
        )
    if counts.learned_from:
        return Conclusion(
            False,
            f"Nothing can be decided on these assessments: {counts.learned_from:,} of them were requested before the "
            "training of both versions ended, which may have learned from their labels. Leave out --since.",
        )
    if min(counts.positives, counts.negatives) < MIN_POSITIVES:
        return Conclusion(
            False,
            f"Not enough to decide: abuse was found in {counts.positives:,} of {counts.labelled:,} labelled returns, "
            f"and a difference means little below {MIN_POSITIVES} with and {MIN_POSITIVES} without a finding.",
        )
    return _by_order(made, made.weighted["average_precision"])


def _by_order(made: Comparison, order: Difference) -> Conclusion:
    said = (
        f"average precision {order.challenger:.3f} against {order.champion:.3f}, a difference of {order.value:+.3f} "
        f"(95% interval {order.low:+.3f} to {order.high:+.3f})"
    )
    ours, theirs = f"version {made.challenger}", f"version {made.champion}"
    half = (order.high - order.low) / 2
    if order.low > 0:
        return Conclusion(True, f"Enough to decide: {ours} orders returns better than {theirs}: {said}.{_but(made)}")
    if order.high < 0:
        return Conclusion(True, f"Enough to decide: {ours} orders returns worse than {theirs}: {said}.")
    if half <= _ALIKE * order.champion:
        return Conclusion(True, f"Enough to decide: {ours} orders returns as well as {theirs}: {said}.{_but(made)}")
    times = (half / abs(order.value)) ** 2 if order.value else float("inf")
    more = f" With about {max(times, 2):.0f} times as many findings, one of this size would show."
    return Conclusion(False, f"Not enough to decide: {said}.{more if times <= _TOO_MANY else ''}")


def _but(made: Comparison) -> str:
    """What speaks against the challenger though it orders returns well."""
    error = made.weighted["calibration_error"]
    parts = []
    if error.low > 0 and error.challenger > _CALIBRATED:
        parts.append(
            f"its risks are less well calibrated (error {error.challenger:.3f} against {error.champion:.3f}), so that "
            "bands and the policy would work with wrong numbers"
        )
    if made.unfit:
        parts.append(f"the service would refuse it as champion ({made.unfit})")
    return f" But {', and '.join(parts)}." if parts else ""
