"""Help: how to work with a case, what the words mean, and what each reason means and does not mean."""

from __future__ import annotations

from starlette.responses import Response

from serving.console.routing import Pages, SignedIn
from serving.problems import NotFound
from serving.reasons.help import helps, meanings

pages = Pages()


@pages.page("/help", "help.view")
def show(visit: SignedIn) -> Response:
    """The way to work, the words, and all reasons."""
    found = helps(visit.language)
    pairs = [(each, found[each.other]) for each in found.values() if each.is_reason]
    return visit.render("help/page.html", pairs=pairs)


@pages.page("/help/{code}", "help.view")
def show_one(visit: SignedIn, code: str) -> Response:
    """One reason or reassurance."""
    found, texts = helps(visit.language), meanings(visit.language)
    about = found.get(code.upper())
    if about is None:
        raise NotFound(visit.t("help.unknown"))
    codes = list(found)
    place = codes.index(about.code)
    return visit.render(
        "help/code.html",
        about=about,
        other=found[about.other],
        previous=found[codes[place - 1]] if place else None,
        following=found[codes[place + 1]] if place + 1 < len(codes) else None,
        features=[(name, texts[name]) for name in about.features],
    )
