"""A comparison in words and tables."""

from __future__ import annotations

from math import isfinite
from typing import Final

from pipelines.compare.comparison import Comparison, conclude
from pipelines.compare.figures import BANDS, TOP, Difference
from pipelines.compare.page import Block, Heading, Paragraph, Picture, Table
from training.dataset import day

_NAMES: Final = {
    "average_precision": "average precision",
    "auc": "AUC",
    "precision_at_1": "precision among the riskiest 1%",
    "precision_at_2": "precision among the riskiest 2%",
    "precision_at_5": "precision among the riskiest 5%",
    "calibration_error": "calibration error",
}
PRECISION: Final = "precision.png"
AGREEMENT: Final = "agreement.png"


def title_of(made: Comparison) -> str:
    """The title of the page."""
    return f"Version {made.challenger} (challenger) against version {made.champion} (champion)"


def blocks_of(made: Comparison) -> list[Block]:
    """The page."""
    blocks: list[Block] = [Paragraph(conclude(made).sentence, lead=True)]
    blocks += [Paragraph(text) for text in _cautions(made)]
    blocks += [Heading("What it rests on"), _rests_on(made)]
    if made.weighted:
        blocks += [
            Heading("Figures"),
            Paragraph(
                "Weighted: each labelled return counts as one over the odds with which it was checked, so that the "
                "figures stand for all returns; these decide. Raw: the labelled returns as they are. The interval of a "
                "difference is that of 95 of 100 draws of the customers; one without zero in it is more than chance."
            ),
            _figures("weighted", made, made.weighted),
            _figures("raw", made, made.raw),
            Picture(PRECISION, "Share of findings among the riskiest returns, by both versions"),
        ]
    blocks += [
        Heading("How alike they are"),
        Paragraph(
            f"On all {made.counts.assessments:,} assessments, labelled or not. Rank correlation "
            f"{made.agreement.rank_correlation:.3f}; of the riskiest {TOP:.0%} of each, "
            f"{made.agreement.top_in_common:.0%} are in both; {made.agreement.flips:,} assessments change their band."
        ),
        Table(
            [f"version {made.champion} \\ version {made.challenger}", *BANDS],
            [[band, *(f"{n:,}" for n in row)] for band, row in zip(BANDS, made.agreement.bands.tolist(), strict=True)],
        ),
        Picture(AGREEMENT, "Risk by the challenger over risk by the champion"),
    ]
    return blocks


def lines_of(made: Comparison) -> list[str]:
    """The report on the command line."""
    counts = made.counts
    return [
        f"{title_of(made)}: {counts.assessments:,} assessments, {counts.labelled:,} labelled, "
        f"abuse found in {counts.positives:,}",
        *(
            f"{name}: {_figure(figure.champion)} -> {_figure(figure.challenger)}, {_apart(figure)}"
            for name, figure in _named(made.weighted)
        ),
        f"rank correlation {made.agreement.rank_correlation:.3f}, riskiest {TOP:.0%} in common "
        f"{made.agreement.top_in_common:.0%}, band changed for {made.agreement.flips:,}",
        *_cautions(made),
        conclude(made).sentence,
    ]


def metrics_of(made: Comparison) -> dict[str, float]:
    """The comparison as metrics of a run."""
    counts, alike = made.counts, made.agreement
    out = {
        "assessments": float(counts.assessments),
        "labelled": float(counts.labelled),
        "positives": float(counts.positives),
        "effective_labelled": counts.effective,
        "risks_computed": float(counts.computed),
        "rank_correlation": alike.rank_correlation,
        "top_in_common": alike.top_in_common,
        "band_flips": float(alike.flips),
        "enough_to_decide": float(conclude(made).enough),
    }
    for kind, figures in (("", made.raw), ("_weighted", made.weighted)):
        for name, figure in figures.items():
            out |= {
                f"champion_{name}{kind}": figure.champion,
                f"challenger_{name}{kind}": figure.challenger,
                f"difference_{name}{kind}": figure.value,
                f"difference_{name}{kind}_low": figure.low,
                f"difference_{name}{kind}_high": figure.high,
            }
    return out


def _rests_on(made: Comparison) -> Table:
    counts = made.counts
    rows = [
        ["assessments requested", f"{day(made.since)} to {day(made.until)}"],
        ["assessments", f"{counts.assessments:,}"],
        ["of them the challenger's risk was not stored and is computed", f"{counts.computed:,}"],
        ["left out: another version of the features made their vectors", f"{counts.left_out:,}"],
        ["labelled so far", f"{counts.labelled:,}"],
        ["abuse found", f"{counts.positives:,}"],
        *([f"checked: {trigger}", f"{count:,}"] for trigger, count in sorted(counts.triggers.items())),
        ["labelled, with the odds of the check recorded", f"{counts.with_odds:,}"],
        ["as informative as so many evenly drawn ones", f"{counts.effective:,.0f}"],
    ]
    return Table(["", ""], rows)


def _cautions(made: Comparison) -> list[str]:
    counts = made.counts
    out = []
    if counts.labelled > counts.with_odds:
        out.append(
            f"The odds of the check are recorded for {counts.with_odds:,} of {counts.labelled:,} labelled returns. The "
            "others stand for themselves only; where the champion's risk picked them, that favours the champion."
        )
    if made.unfit and made.unfit not in conclude(made).sentence:
        out.append(f"The service would refuse version {made.challenger} as champion: {made.unfit}.")
    return out


def _figures(kind: str, made: Comparison, figures: dict[str, Difference]) -> Table:
    return Table(
        [kind, f"version {made.champion}", f"version {made.challenger}", "difference (95% interval)"],
        [
            [name, _figure(figure.champion), _figure(figure.challenger), _apart(figure)]
            for name, figure in _named(figures)
        ],
    )


def _named(figures: dict[str, Difference]) -> list[tuple[str, Difference]]:
    return [(text, figures[name]) for name, text in _NAMES.items() if name in figures]


def _figure(value: float) -> str:
    return f"{value:.3f}"


def _apart(figure: Difference) -> str:
    interval = (
        f"{figure.low:+.3f} to {figure.high:+.3f}" if isfinite(figure.low) else "too few findings for an interval"
    )
    return f"{figure.value:+.3f} ({interval})"
