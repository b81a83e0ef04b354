"""The overview, for those who lead and those who analyse: figures, and no persons."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import FileResponse, Response

from features.clock import DAY
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.overview import charts
from serving.overview.figures import BARS, ENDINGS, Day, Figures
from serving.problems import NotFound
from serving.reasons.help import helps

pages = Pages()

_OPERATION: Final = "overview.view"
STRETCHES: Final = (30, 90, 365)
_DEFAULT: Final = 90
#: A report is a page of its own, with pictures inside; it may do nothing, and reach nothing.
_SANDBOX: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"


@pages.page("/overview", _OPERATION)
def show(visit: SignedIn) -> Response:
    """Figures of the last 90 days, or of another stretch."""
    raw = visit.request.query_params.get("days", "")
    days = int(raw) if raw in {str(stretch) for stretch in STRETCHES} else _DEFAULT
    found = visit.context.overview.of(days, visit.now)
    weekly, mondays = _weekly(found.days)
    short_date = visit.t.writing.short_date_text
    return visit.render(
        "overview/page.html",
        figures=found,
        days=days,
        stretches=STRETCHES,
        endings=ENDINGS,
        daily=_daily(found),
        day_labels=[short_date(day.day * DAY) for day in found.days],
        weeks=_weeks(found.days),
        weekly=weekly,
        week_labels=[short_date(monday * DAY) for monday in mondays],
        bars=_bars(visit, found),
        titles=_titles(visit),
        model=_model(visit),
        drift=visit.context.drift.latest(),
        day_us=DAY,
    )


@pages.page("/overview/drift", _OPERATION)
def drift_report(visit: SignedIn) -> Response:
    """The page that `returnwise drift` wrote, as it is."""
    page = visit.context.settings.home / "drift" / "report.html"
    if not page.is_file():
        raise NotFound(visit.t("overview.no_report"))
    return FileResponse(page, media_type="text/html", headers={"Content-Security-Policy": _SANDBOX})


def _daily(found: Figures) -> charts.Columns:
    stacks = [[("opened", day.opened)] for day in found.days]
    return charts.columns(stacks, labelled=charts.every(len(stacks), 6))


def _weeks(days: list[Day]) -> list[tuple[int, int, dict[str, int]]]:
    """Monday of each week (day since 1970), cases opened, and cases ended by ending; the newest first."""
    weeks: dict[int, tuple[int, dict[str, int]]] = {}
    for day in days:
        monday = day.day - (day.day + 3) % 7
        opened, ended = weeks.get(monday, (0, {}))
        sums = {ending: ended.get(ending, 0) + day.ended.get(ending, 0) for ending in ENDINGS}
        weeks[monday] = (opened + day.opened, sums)
    return [(monday, *weeks[monday]) for monday in sorted(weeks, reverse=True)]


def _weekly(days: list[Day]) -> tuple[charts.Columns, list[int]]:
    weeks = _weeks(days)[::-1]
    stacks = [[(ending, ended[ending]) for ending in ENDINGS] for _, _, ended in weeks]
    return charts.columns(stacks, labelled=charts.every(len(stacks), 6)), [monday for monday, _, _ in weeks]


def _bars(visit: Visit, found: Figures) -> list[tuple[str, int, float]]:
    """Words, number and share of the longest bar, of the times to a decision."""
    ends = [visit.t.writing.duration_text(hours * DAY // 24) for hours in BARS]
    words = [visit.t("overview.up_to", duration=end) for end in ends]
    words.append(visit.t("overview.more_than", duration=ends[-1]))
    longest = max([*found.hours, 1])
    return [(text, number, number / longest) for text, number in zip(words, found.hours, strict=True)]


def _titles(visit: Visit) -> dict[str, str]:
    return {code: about.title for code, about in helps(visit.language).items()}


def _model(visit: Visit) -> dict[str, Any] | None:
    models = visit.context.models
    if not models.ready:
        return None
    model = models.current()
    challenger = models.challenger()
    return {
        "version": model.version,
        "prior": model.prior,
        "challenger": None if challenger is None else challenger.version,
        "troubles": models.troubles,
    }
