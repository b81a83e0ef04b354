"""What a drift report comes to, in sentences, and what of it is an alarm."""

from __future__ import annotations

from typing import Final

from training.drift.performance import Estimate
from training.drift.random_checks import RandomChecks
from training.drift.report import Alarm, Checked, ColumnDrift, DriftReport, iso

#: Strongly drifted features are an alarm if they carry so much of what moves the risks.
IMPORTANT: Final = 0.2
#: An estimated figure below this share of what it was, beyond its interval, is an alarm.
KEPT: Final = 0.8
#: The figures that are watched for that.
WATCHED: Final = ("average_precision", "precision_at_2")
#: So many standard deviations between what was found and what the risks said, and the estimates are in doubt.
DOUBT: Final = 3.0

_MEANT: Final = {
    "average_precision": "the average precision",
    "precision_at_2": "the share of findings among the riskiest 2%",
}
_NAMED: Final = 3


def alarms(report: DriftReport, recent: int) -> tuple[Alarm, ...]:
    """The alarms of a report. One among random checks counts if it was raised at `recent` (microseconds) or later."""
    out: list[Alarm] = []
    chart = report.random_checks
    if chart is not None and any(moment >= recent for moment in chart.alarms):
        out.append(Alarm("random_checks", _risen(chart, max(chart.alarms))))
    if report.score is not None and report.score.strength == "strong":
        out.append(Alarm("scores", f"The risks lie elsewhere than in training (PSI {report.score.psi:.2f})."))
    strong = [f for f in report.features if f.strength == "strong"]
    carried = sum(f.importance for f in strong)
    if carried >= IMPORTANT:
        out.append(
            Alarm(
                "features",
                f"Features that carry {carried:.0%} of what moves the risks have drifted strongly: {_list(strong)}.",
            )
        )
    for each in report.performance:
        if each.name in WATCHED and each.before is not None and each.value < KEPT * each.before > each.high:
            out.append(
                Alarm(
                    "performance",
                    f"If the risks are right, {_MEANT[each.name]} is {_figure(each)}, down from {each.before:.3f}.",
                )
            )
    return tuple(out)


def sentences(report: DriftReport, least: int, *, prior: bool) -> tuple[str, ...]:
    """The verdict of a report with its alarms: whether there are any, then what is known of features, risks,
    performance and random checks, and what cannot be told. At least `least` assessments are needed to compare."""
    out = [_headline(report)]
    if report.enough:
        out += [_features(report), _score(report), *_performance(report)]
    elif report.reference_rows == 0:
        out.append(
            f"Version {report.model_version} keeps no reference of what was usual when it was trained; "
            "features and risks cannot be compared. A version trained today keeps one."
        )
    else:
        made, days = report.window.made, report.window.days
        out.append(
            f"There are {_count(made, 'assessment')} in {_count(days, 'day')}; at least {least:,} are needed to tell a "
            "shift of features or risks from noise."
        )
    if report.window.left_out:
        out.append(
            f"{_count(report.window.left_out, 'assessment')} made with another feature service could not be compared."
        )
    out += _checked(report.checked)
    out.append(_random(report.random_checks))
    if prior:
        out.append(
            "The model is a prior: its risks follow written weights, so how good it is cannot be estimated from them."
        )
    return tuple(out)


def _headline(report: DriftReport) -> str:
    if report.state == "alarm":
        return "Alarm. " + " ".join(alarm.text for alarm in report.alarms)
    if report.state == "calm":
        return f"No alarm: version {report.model_version} sees returns much like those it was trained on."
    if report.enough or (report.random_checks is not None and report.random_checks.enough):
        return "No alarm, but not everything could be judged."
    return "Too little is known to tell whether anything has changed."


def _features(report: DriftReport) -> str:
    drifted = report.drifted
    if not drifted:
        return f"None of {len(report.features)} features has drifted beyond noise and PSI 0.1."
    strong = sum(f.strength == "strong" for f in drifted)
    chief = sorted(drifted, key=lambda f: -f.importance)
    carried = sum(f.importance for f in drifted)
    return (
        f"{len(drifted)} of {len(report.features)} features have drifted, {strong or 'none'} of them strongly; "
        f"together they carry {carried:.0%} of what moves the risks. Those that carry most: {_list(chief)}."
    )


def _score(report: DriftReport) -> str:
    score = report.score
    assert score is not None
    assert report.mean_risk is not None
    before = next((e.before for e in report.performance if e.name == "base_rate"), None)
    was = "" if before is None else f" (in training {before:.2%})"
    where = {"none": "lie where they did", "moderate": "have shifted", "strong": "have shifted strongly"}
    return f"The mean risk is {report.mean_risk:.2%}{was}; risks {where[score.strength]} (PSI {score.psi:.3f})."


def _performance(report: DriftReport) -> list[str]:
    at = next((e for e in report.performance if e.name == "precision_at_2"), None)
    if at is None:
        return []
    was = "" if at.before is None else f"; in training {at.before:.1%}"
    return [
        f"If the risks are right, an inspection of the riskiest 2% finds abuse in {at.value:.1%} of them "
        f"({at.low:.1%} to {at.high:.1%}{was})."
    ]


def _checked(checked: Checked | None) -> list[str]:
    if checked is None:
        return []
    said = f"{checked.expected:.1f} were to be expected by their risks"
    out = f"Of {_count(checked.returns, 'checked return')} among these, {checked.found} had findings; {said}"
    if abs(checked.deviations) >= DOUBT:
        return [
            f"{out}. That is {abs(checked.deviations):.1f} standard deviations apart: do not rely on the estimates."
        ]
    return [f"{out}."]


def _random(chart: RandomChecks | None) -> str:
    if chart is None:
        return "Random checks cannot be judged: none is known, or none was known when the model was trained."
    if chart.since is None:
        return "No random check has become known since the model was trained: a new kind of abuse would go unseen."
    since, tested = chart.since, chart.tested
    was = (
        f"{tested:.1%} (base rate of the model)"
        if chart.before is None
        else f"{chart.before.share:.1%} of {chart.before.checks:,} (at most {tested:.1%})"
    )
    text = (
        f"Of {_count(since.checks, 'random check')} since training {since.found} had findings, weighted "
        f"{since.share:.1%} ({since.low:.1%} to {since.high:.1%}); before {was}."
    )
    if not chart.enough:
        text += " That is too few for the absence of an alarm to mean much."
    return text


def _risen(chart: RandomChecks, moment: int) -> str:
    since = "" if chart.since is None else f" ({chart.since.share:.1%} since training)"
    return (
        f"Findings among random checks have risen{since} above {chart.tested:.1%}: the chart, tuned to a "
        f"doubling, crossed its threshold on {iso(moment)[:10]}. Without a rise it does so once in {chart.run:,} "
        "checks."
    )


def _figure(each: Estimate) -> str:
    return f"{each.value:.3f} ({each.low:.3f} to {each.high:.3f})"


def _list(features: list[ColumnDrift]) -> str:
    named = ", ".join(f"{f.name} (PSI {f.psi:.2f})" for f in features[:_NAMED])
    more = len(features) - _NAMED
    return f"{named} and {more} more" if more > 0 else named


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
