"""Photos of a case and its evidence file, over HTTP."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from PIL import Image

from features.ledger.store import Ledger
from serving.audit.trail import of_case
from serving.cases import photos, repository
from serving.cases.claim import read
from serving.cases.repository import Case
from serving.clock import now_us
from serving.console.form import Form
from serving.console.rendering import environment
from serving.console.showing import showing
from serving.texts import LANGUAGES, texts
from tests.support.cases import open_one
from tests.support.console import Console, SignedIn, words
from tests.support.pictures import bomb, jpeg, picture, saved
from tests.support.service import settings_of
from tests.support.words import judging_words


@pytest.fixture(scope="module")
def ledger(console: Console) -> Any:
    ledger = Ledger.open(settings_of(console.home))
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def numbers() -> Any:
    return iter(range(1000))


@pytest.fixture
def case(ledger: Ledger, numbers: Any) -> Case:
    with ledger.write() as conn:
        found = conn.exec_driver_sql("SELECT DISTINCT return_id FROM returns ORDER BY 1").fetchall()
        return open_one(conn, found[next(numbers)][0], now_us())


def send(browser: SignedIn, case: Case, *uploads: bytes, **data: str) -> httpx.Response:
    files = [("photo", (f"{n}.jpg", upload, "image/jpeg")) for n, upload in enumerate(uploads)]
    return browser.post(f"/cases/{case.case_id}/photos", data, files=files)


def kept(ledger: Ledger, case: Case) -> list[photos.Photo]:
    with ledger.read() as conn:
        return photos.of_case(conn, case.case_no)


class TestPhotos:
    def test_sent_and_shown(self, console: Console, ledger: Ledger, case: Case) -> None:
        desk = console.of("desk")
        answer = send(desk, case, jpeg(picture(900), gps=True), saved(picture(500), "PNG"), caption="The soles")
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/console/cases/{case.case_id}#photos"
        first, second = kept(ledger, case)
        assert (first.caption, first.width, second.width) == ("The soles", 900, 500)
        page = words(desk.get(f"/cases/{case.case_id}/photos"))
        assert "The 2 photos are kept." in page
        assert "The soles" in page

    def test_an_address_gives_a_picture_and_nothing_else(self, console: Console, ledger: Ledger, case: Case) -> None:
        desk = console.of("desk")
        send(desk, case, jpeg(picture(900), comment=b"hello"))
        (photo,) = kept(ledger, case)
        address = f"/cases/{case.case_id}/photos/{photo.photo_no}"
        answer = desk.get(address)
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["content-disposition"].startswith("inline; ")
        assert "private" in answer.headers["cache-control"]
        assert Image.open(io.BytesIO(answer.content)).size == (900, 40)
        small = desk.get(f"{address}/small")
        assert Image.open(io.BytesIO(small.content)).size[0] == 320
        assert desk.get(address, **{"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert small.headers["etag"] != answer.headers["etag"]

    def test_a_photo_belongs_to_its_case(self, console: Console, ledger: Ledger, case: Case, numbers: Any) -> None:
        desk = console.of("desk")
        send(desk, case, jpeg())
        (photo,) = kept(ledger, case)
        with ledger.write() as conn:
            rest = conn.exec_driver_sql("SELECT DISTINCT return_id FROM returns ORDER BY 1").fetchall()
            other = open_one(conn, rest[next(numbers)][0], now_us())
        assert desk.get(f"/cases/{other.case_id}/photos/{photo.photo_no}").status_code == 404
        assert desk.get(f"/cases/{case.case_id}/photos/{photo.photo_no + 99}").status_code == 404
        assert desk.get("/cases/RW-00000-00000/photos").status_code == 404

    @pytest.mark.parametrize(
        ("upload", "said"),
        [
            (b"hello", "File 2 is not a JPEG, PNG or WebP picture."),
            (bomb(10_000, 10_000), "File 2 has more than 50 million pixels."),
            (jpeg() + b"<script>alert(1)</script>", "File 2 holds something else besides a picture."),
            (jpeg(picture(900, 700))[:3000], "File 2 is damaged or cut off."),
        ],
    )
    def test_all_or_nothing_and_the_caption_stays(
        self, console: Console, ledger: Ledger, case: Case, upload: bytes, said: str
    ) -> None:
        answer = send(console.of("desk"), case, jpeg(), upload, caption="What I wrote & <b>more</b>")
        assert answer.status_code == 422
        assert said in words(answer)
        assert 'value="What I wrote &amp; &lt;b&gt;more&lt;/b&gt;"' in answer.text
        assert kept(ledger, case) == []

    def test_nothing_chosen(self, console: Console, case: Case) -> None:
        answer = send(console.of("desk"), case, caption="words")
        assert answer.status_code == 422
        assert "Choose at least one photo." in words(answer)

    def test_too_many_at_once(self, console: Console, ledger: Ledger, case: Case) -> None:
        assert send(console.of("desk"), case, *[jpeg()] * 11).status_code == 400
        assert kept(ledger, case) == []

    def test_an_analyst_sees_none(self, console: Console, case: Case) -> None:
        assert console.of("analyst").get(f"/cases/{case.case_id}/photos").status_code == 403


class TestEvidence:
    @pytest.mark.parametrize(("ending", "begins"), [("pdf", b"%PDF-"), ("zip", b"PK")])
    def test_it_is_handed_out_and_noted(
        self, console: Console, ledger: Ledger, case: Case, ending: str, begins: bytes
    ) -> None:
        data = {"kind": "dispute", "form": ending, "language": "nl"}
        answer = console.of("reviewer").post(f"/cases/{case.case_id}/evidence", data)
        assert answer.status_code == 200
        assert answer.content.startswith(begins)
        assert answer.headers["content-disposition"] == f'attachment; filename="dispute-{case.case_id}.{ending}"'
        assert answer.headers["cache-control"] == "no-store"
        with ledger.read() as conn:
            entry = of_case(conn, case.case_no)[-1]
        assert entry.operation == "case.export"
        assert (entry.content["kind"], entry.content["form"]) == ("dispute", ending)
        if ending == "zip":
            assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None

    def test_no_report_of_a_case_that_nobody_has_concluded(self, console: Console, case: Case) -> None:
        data = {"kind": "report", "form": "pdf", "language": "en"}
        answer = console.of("lead").post(f"/cases/{case.case_id}/evidence", data)
        assert answer.status_code == 303
        assert answer.headers["location"].endswith("#evidence")

    @pytest.mark.parametrize("data", [{}, {"kind": "dispute", "form": "exe", "language": "en"}])
    def test_what_is_not_offered(self, console: Console, case: Case, data: dict[str, str]) -> None:
        assert console.of("lead").post(f"/cases/{case.case_id}/evidence", data).status_code == 303

    def test_the_desk_hands_out_nothing(self, console: Console, case: Case) -> None:
        data = {"kind": "dispute", "form": "pdf", "language": "en"}
        assert console.of("desk").post(f"/cases/{case.case_id}/evidence", data).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
class TestShowing:
    def test_every_piece_says_something_in_every_language(self, ledger: Ledger, case: Case, language: str) -> None:
        text = rendered(ledger, case, language)
        for name in ("timeline", "photos", "shoppers", "links", "reasons", "clause", "earlier", "evidence"):
            assert f'id="{name}"' in text
        assert "<svg" in text
        assert "<title" in text
        assert "<desc" in text
        assert 'style="' not in text
        assert not judging_words(text)

    def test_the_risk_is_not_in_it(self, ledger: Ledger, case: Case, language: str) -> None:
        text = rendered(ledger, case, language)
        assert "0.4" not in text
        assert "contribution" not in text


def rendered(ledger: Ledger, case: Case, language: str) -> str:
    t = texts(language)
    visit = cast(Any, SimpleNamespace(language=language, t=t, now=now_us()))
    with ledger.read() as conn:
        found = repository.find(conn, case.case_id)
        assert found is not None
        values = showing(conn, found, read(conn, case.return_id), visit)
    given = {
        "case": found,
        "form": Form(),
        "form_key": "key",
        "language": language,
        "may": lambda operation: True,
        "names": {},
        "now": visit.now,
        "url": lambda path: path,
    }
    page = environment(language, "UTC").from_string(
        '{% import "ui.html" as ui with context %}{% include "case/showing.html" %}'
    )
    return page.render(**values, **given)
