"""The pictures of the documents: none is missing, none is large, and no page of the console is left out."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute
from PIL import Image

from pipelines.docs import between
from serving.console.pages import AREAS
from serving.texts import LANGUAGES
from tests.browser.screenshots import FOLDER, PAGE, SHOTS, THEMES, Shot, picture, section

#: Not pages that one looks at: parts of pages, files, redirects, and pages that only lead on.
_NO_PICTURE = {
    "/",
    "/static/{digest}/{name}",
    "/cases/{case_id}/now",
    "/cases/{case_id}/photos/{photo_no}",
    "/cases/{case_id}/photos/{photo_no}/small",
    "/queue/counts",
    "/overview/drift",  # what `returnwise drift` wrote, as it is
    "/oidc",
    "/oidc/back",
    "/link/{token}",
    # these need something that a demo has not: a connection of each kind
    "/connections/webhooks/{endpoint_id}",
    "/connections/shops/{connection_id}",
    "/connections/keys/{key_id}",
}


def test_every_page_is_photographed() -> None:
    pages = {
        route.path
        for area in AREAS
        for route in area.router.routes
        if isinstance(route, APIRoute) and "GET" in route.methods
    }
    assert {shot.address for shot in SHOTS} == pages - _NO_PICTURE


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_in_every_language_and_both_themes(shot: Shot) -> None:
    for language in LANGUAGES:
        for theme in THEMES:
            path = picture(shot.name, language, theme)
            assert path.exists(), f"{path.name} is missing: make screenshots ARGS={shot.name}"
            assert path.stat().st_size < 150_000, path.name
            with Image.open(path) as opened:
                assert 800 <= opened.width <= 1_200
                assert opened.height <= 1_300


def test_nothing_else_lies_there_and_the_document_shows_them() -> None:
    expected = {picture(shot.name, language, theme) for shot in SHOTS for language in LANGUAGES for theme in THEMES}
    assert set(FOLDER.glob("*")) == expected
    page = PAGE.read_text(encoding="utf-8")
    assert between(page, "pictures", section()) == page
