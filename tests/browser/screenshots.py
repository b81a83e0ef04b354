"""Pictures of the console for the documents: `make screenshots`, or `python -m tests.browser.screenshots [NAME ...]`.

A small demo is made (or, with `--home DIR`, kept and used again), and every page is photographed in both themes and
every language. The pictures go to `docs/pictures/console/`, as small as they can be; `test_screenshots.py` holds that
none is missing, and that no page is left out.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image
from playwright.sync_api import Page
from sqlalchemy.engine import Connection

from features.ledger.sql import rows
from features.ledger.store import Ledger
from pipelines import demo
from pipelines.console import note
from pipelines.docs import between
from serving.app import create_app
from serving.settings import ServingSettings
from serving.staff import repository
from serving.texts import LANGUAGES
from serving.texts.catalogue import SOURCE
from tests.support import browser as support
from tests.support.console import Console
from tests.support.repository import ROOT
from tests.support.service import running, settings_of

FOLDER: Final = ROOT / "docs" / "pictures" / "console"
PAGE: Final = ROOT / "docs" / "console.md"
THEMES: Final = ("light", "dark")
_CUSTOMERS: Final = 20_000
_SIZE: Final = (1200, 820)
_TALLEST: Final = 1_300  # pixels; what is below is not in the picture
_COLOURS: Final = 128


class Shot(NamedTuple):
    """A page to be photographed: its picture's name, who looks at it (None: nobody), and where it is.

    `path` may depend on what is in the ledger; `address` is the page's address as it is declared.
    """

    name: str
    caption: str
    login: str | None
    address: str
    path: Callable[[Connection], str] | None = None
    tablet: bool = False


def _one(sql: str, form: str = "/cases/{}") -> Callable[[Connection], str]:
    def found(conn: Connection) -> str:
        return form.format(*rows(conn, sql)[0])

    return found


def _then(path: Callable[[Connection], str], more: str) -> Callable[[Connection], str]:
    return lambda conn: path(conn) + more


_WAITING_CASE: Final = _one(
    "SELECT case_id FROM cases c WHERE state IN ('open', 'waiting_inspection') AND judged_at IS NULL"
    " AND kind = 'return' ORDER BY (SELECT COUNT(*) FROM case_photos p WHERE p.case_no = c.case_no) DESC,"
    " (SELECT COUNT(*) FROM case_findings f WHERE f.case_no = c.case_no) DESC, expected_loss_minor DESC LIMIT 1"
)
_CONFIRMED_CASE: Final = _one(
    "SELECT case_id FROM cases c WHERE state = 'closed' AND verdict = 'abuse_confirmed'"
    " ORDER BY (SELECT COUNT(*) FROM case_photos p WHERE p.case_no = c.case_no) DESC, expected_loss_minor DESC LIMIT 1"
)
_DISPUTED_CASE: Final = _one(
    "SELECT case_id FROM cases c WHERE state = 'disputed'"
    " ORDER BY verdict IS NULL, (SELECT COUNT(*) FROM case_photos p WHERE p.case_no = c.case_no) DESC LIMIT 1"
)

_CUSTOMER: Final = (
    "SELECT customer_id FROM cases GROUP BY customer_id ORDER BY MAX(verdict = 'abuse_confirmed' AND state = 'closed')"
    " + (SELECT COUNT(*) FROM restrictions r WHERE r.customer_id = cases.customer_id) DESC, COUNT(*) DESC LIMIT 1"
)
_PROPOSAL: Final = "SELECT policy_no FROM policies ORDER BY policy_no DESC LIMIT 1"
_SIMULATION: Final = "SELECT simulation_id FROM policy_simulations ORDER BY made_at DESC LIMIT 1"
_ROBIN: Final = "SELECT staff_id FROM staff WHERE login = 'robin'"

SHOTS: Final = (
    Shot("sign-in", "Signing in", None, "/sign-in"),
    Shot("queue", "The queue: deadline first, then what would be lost", "linde", "/queue"),
    Shot("queue-tablet", "The queue on a tablet at the returns desk", "desi", "/queue", tablet=True),
    Shot("open", "Opening a case by hand", "linde", "/queue/open"),
    Shot("case", "A case before anybody has judged it: the evidence first", "linde", "/cases/{case_id}", _WAITING_CASE),
    Shot("case-tablet", "The same on a tablet", "desi", "/cases/{case_id}", _WAITING_CASE, tablet=True),
    Shot("case-concluded", "A case that was concluded", "linde", "/cases/{case_id}", _CONFIRMED_CASE),
    Shot("case-disputed", "A case that the customer disputes", "linde", "/cases/{case_id}", _DISPUTED_CASE),
    Shot("photos", "The photos of a case", "linde", "/cases/{case_id}/photos", _then(_CONFIRMED_CASE, "/photos")),
    Shot("customers", "Looking for a customer", "linde", "/customers"),
    Shot("customer", "A customer", "linde", "/customers/{customer_id:path}", _one(_CUSTOMER, "/customers/{}")),
    Shot(
        "customer-correct",
        "Putting right what is stored",
        "linde",
        "/customers/-/correct/{customer_id:path}",
        _one(_CUSTOMER, "/customers/-/correct/{}"),
    ),
    Shot(
        "customer-erase",
        "Before an erasure",
        "linde",
        "/customers/-/erase/{customer_id:path}",
        _one(_CUSTOMER, "/customers/-/erase/{}"),
    ),
    Shot("overview", "The overview", "linde", "/overview"),
    Shot("policy", "The policy in force", "linde", "/policy"),
    Shot(
        "policy-proposal",
        "A proposal: what it changes, and what it would have done",
        "linde",
        "/policy/versions/{policy_no}",
        _one(_PROPOSAL, "/policy/versions/{}"),
    ),
    Shot(
        "policy-simulation",
        "What a policy would have done to last year's returns",
        "linde",
        "/policy/simulations/{simulation_id}",
        _one(_SIMULATION, "/policy/simulations/{}"),
    ),
    Shot("policy-edit", "Changing the policy", "linde", "/policy/edit"),
    Shot("connections", "Connections: webhooks, shops, API keys", "admin", "/connections"),
    Shot("staff", "Staff accounts", "admin", "/staff"),
    Shot("staff-one", "One account and its history", "admin", "/staff/{staff_id}", _one(_ROBIN, "/staff/{}")),
    Shot("account", "One's own account", "linde", "/account"),
    Shot("help", "Help: reasons, verdicts, actions", "linde", "/help"),
    Shot("help-code", "Help on a reason: what it means, and what not", "linde", "/help/{code}", lambda _: "/help/R08"),
)


def section() -> str:
    """The pictures as the document shows them: the light English one, with links to the others."""
    parts = []
    for shot in SHOTS:
        links = [
            f"[{language}, {theme}](pictures/console/{picture(shot.name, language, theme).name})"
            for language in LANGUAGES
            for theme in THEMES
        ]
        shown = picture(shot.name, SOURCE, THEMES[0]).name
        parts += [f"**{shot.caption}** ({'; '.join(links)})", f"![{shot.caption}](pictures/console/{shown})"]
    return "\n\n".join(parts)


def picture(name: str, language: str, theme: str) -> Path:
    """Where a picture lies."""
    return FOLDER / f"{name}.{language}.{theme}.png"


def take(home: Path, wanted: Sequence[str] = ()) -> None:
    """Photograph the pages of a demo's home, or those of the given names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        running(create_app(settings_of(home), ServingSettings(model_poll_seconds=600))) as client,
        support.chromium() as chromium,
    ):
        console = Console(home, client)
        if not wanted or any(name.startswith("policy-") for name in wanted):
            _simulate(console)
        for shot in SHOTS:
            if wanted and shot.name not in wanted:
                continue
            path, token = _prepared(console, shot)
            size = support.TABLET if shot.tablet else _SIZE
            for language in LANGUAGES:
                with support.opened(chromium, console, size=size, language=language) as page:
                    if token:
                        support.use_session(page.context, console, token)
                    page.goto(f"/console{path}")
                    for theme in THEMES:
                        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                        picture(shot.name, language, theme).write_bytes(_small(_photograph(page)))
            note(f"{shot.name}: {path}")
        console.close()


def _simulate(console: Console) -> None:
    """Let the service simulate the policy that was proposed."""
    ledger = Ledger.open(settings_of(console.home))
    try:
        with ledger.read() as conn:
            ((text,),) = rows(conn, "SELECT content FROM policies ORDER BY policy_no DESC LIMIT 1")
            person = repository.find_login(conn, "linde")
        assert person is not None
        asked = console.signed_in(person).post("/policy/simulations", {"text": text, "days": "365"})
        assert asked.status_code == 303, asked.text
        for _ in range(600):
            with ledger.read() as conn:
                ((ended_at, trouble),) = rows(
                    conn, "SELECT ended_at, trouble FROM policy_simulations ORDER BY made_at DESC LIMIT 1"
                )
            if ended_at is not None:
                assert trouble is None, trouble
                return
            time.sleep(0.5)
        raise AssertionError("the simulation did not end")
    finally:
        ledger.close()


def _prepared(console: Console, shot: Shot) -> tuple[str, str]:
    """Where the page is, and the session of who looks at it."""
    ledger = Ledger.open(settings_of(console.home))
    try:
        with ledger.read() as conn:
            path = shot.address if shot.path is None else shot.path(conn)
            person = None if shot.login is None else repository.find_login(conn, shot.login)
    finally:
        ledger.close()
    return path, "" if person is None else console.signed_in(person).token


def _photograph(page: Page) -> bytes:
    page.wait_for_load_state("networkidle")
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    width = page.viewport_size["width"] if page.viewport_size else _SIZE[0]
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, _TALLEST)}
    return page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]


def _small(png: bytes) -> bytes:
    """The picture with few colours; pages have hardly more."""
    out = io.BytesIO()
    whole = Image.open(io.BytesIO(png)).convert("RGB")
    whole.quantize(_COLOURS, kmeans=1, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _homes(home: Path | None) -> Iterator[Path]:
    if home is not None:
        yield home
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main(arguments: Sequence[str]) -> int:
    """Make the demo, take the pictures."""
    parser = argparse.ArgumentParser(description="Photograph the console for the documents.")
    parser.add_argument("names", nargs="*", help="only these pictures")
    parser.add_argument("--home", type=Path, help="keep the demo here, and use it again")
    given = parser.parse_args(arguments)
    if support.CHROMIUM is None:
        note("there is no Chromium on this machine; install one, such as the package chromium")
        return 1
    for home in _homes(given.home):
        demo.prepare(settings_of(home), _CUSTOMERS)
        take(home, given.names)
    PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "pictures", section()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
