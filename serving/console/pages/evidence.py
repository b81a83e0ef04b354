"""Photos of a case and its evidence file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from serving.cases import evidence, photos, repository
from serving.cases.errors import Incomplete
from serving.cases.evidence import NotYet
from serving.cases.photos import PhotoRefused
from serving.cases.repository import Case
from serving.console.guest import Visit
from serving.console.routing import Pages, SignedIn
from serving.problems import NotFound
from serving.staff import repository as staff
from serving.texts import LANGUAGES

pages = Pages()

#: Photos in one upload, and its bytes with all of them.
MOST_AT_ONCE: Final = 10
UPLOAD_BYTES: Final = 4 * photos.MOST_BYTES
FORMS: Final[dict[str, str]] = {"pdf": "application/pdf", "zip": "application/zip"}
#: A photo is a picture and nothing else, whoever opens its address.
_PHOTO_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


@pages.page("/cases/{case_id}/photos", "case.view")
def gallery(visit: SignedIn, case_id: str) -> Response:
    """All photos of a case in full width, and the form for more."""
    return _gallery(visit, case_id)


@pages.form("/cases/{case_id}/photos", "case.photograph", max_bytes=UPLOAD_BYTES, max_files=MOST_AT_ONCE)
async def add_photos(visit: SignedIn, case_id: str) -> Response:
    """Checks the photos, encodes them anew in a thread, and keeps all of them or none."""
    form = visit.form
    caption = form.text("caption", longest=photos.LONGEST_CAPTION)
    files = [file for name, file in form.files if name == "photo" and file.filename]
    if not files:
        form.refuse("photo", "photo.none")
    encoded = []
    for number, file in enumerate(files, 1):
        try:
            encoded.append(await run_in_threadpool(photos.encode, await file.read()))
        except PhotoRefused as refused:
            form.refuse("photo", f"photo.refused.{refused.code}", number=number)
    case = await visit.read(lambda conn: _found(visit, conn, case_id))
    if form.is_fine:
        try:
            await visit.write(lambda conn: _keep(visit, conn, case, encoded, caption))
            return visit.redirect(f"/cases/{case_id}#photos", said="photo.added", count=len(encoded))
        except Incomplete as error:
            form.refuse(error.field, f"photo.refused.{error.code}")
    return await run_in_threadpool(_gallery, visit, case_id, 422)


@pages.page("/cases/{case_id}/photos/{photo_no}", "case.view")
def photo(visit: SignedIn, case_id: str, photo_no: int) -> Response:
    """A photo, up to 2048 pixels long."""
    return _photo(visit, case_id, photo_no, thumbnail=False)


@pages.page("/cases/{case_id}/photos/{photo_no}/small", "case.view", is_quiet=True)
def small_photo(visit: SignedIn, case_id: str, photo_no: int) -> Response:
    """Its thumbnail."""
    return _photo(visit, case_id, photo_no, thumbnail=True)


@pages.form("/cases/{case_id}/evidence", "case.export")
async def export(visit: SignedIn, case_id: str) -> Response:
    """Hands out the evidence file, and notes that it did."""
    form = visit.form
    kind = form.choice("kind", evidence.KINDS)
    ending = form.choice("form", tuple(FORMS))
    language = form.choice("language", LANGUAGES)
    if not form.is_fine:
        return visit.redirect(f"/cases/{case_id}#evidence", said="evidence.choose", is_bad=True)
    case = await visit.read(lambda conn: _found(visit, conn, case_id))
    wanted: evidence.Kind = "report" if kind == "report" else "dispute"
    try:
        material = await visit.read(lambda conn: evidence.gather(conn, case, wanted, language))
    except NotYet:
        return visit.redirect(f"/cases/{case_id}#evidence", said="evidence.not_yet", is_bad=True)
    make: Callable[[evidence.Material], bytes] = evidence.pdf if ending == "pdf" else evidence.bundle
    content = await run_in_threadpool(make, material)
    digest = hashlib.sha256(content).hexdigest()
    await visit.write(lambda conn: evidence.note(conn, visit.actor, case, wanted, ending, digest, at=visit.now))
    name = f"{kind}-{case.case_id}.{ending}"
    return Response(
        content, media_type=FORMS[ending], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _found(visit: Visit, conn: Connection, case_id: str) -> Case:
    case = repository.find(conn, case_id)
    if case is None:
        raise NotFound(visit.t("evidence.no_case"))
    return case


def _keep(visit: Visit, conn: Connection, case: Case, encoded: list[photos.Encoded], caption: str) -> None:
    for each in encoded:
        photos.photograph(conn, visit.actor, case, now=visit.now, photo=each, caption=caption)


def _gallery(visit: Visit, case_id: str, status: int = 200) -> Response:
    with visit.context.ledger.read() as conn:
        case = _found(visit, conn, case_id)
        found = photos.of_case(conn, case.case_no)
        names = staff.names(conn)
    return visit.render("case/photos.html", status, case=case, photos=found, names=names)


def _photo(visit: Visit, case_id: str, photo_no: int, *, thumbnail: bool) -> Response:
    with visit.context.ledger.read() as conn:
        case = _found(visit, conn, case_id)
        found = photos.find(conn, case.case_no, photo_no, thumbnail=thumbnail)
    if found is None:
        raise NotFound(visit.t("photo.unknown"))
    content, digest = found
    tag = f'"{digest.hex()[:32]}{"s" if thumbnail else ""}"'
    name = f"{case.case_id}-photo-{photo_no}.jpg"
    headers = _PHOTO_HEADERS | {"ETag": tag, "Content-Disposition": f'inline; filename="{name}"'}
    if visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="image/jpeg", headers=headers)
