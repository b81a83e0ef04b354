"""The page of the overview."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger.store import Ledger
from serving.app import create_app
from serving.clock import now_us
from serving.settings import ServingSettings
from tests.support.console import Console, words
from tests.support.many_cases import put_many
from tests.support.service import running, settings_of


@pytest.fixture(scope="module")
def console(shared_home: Path) -> Iterator[Console]:
    """A service that counts anew for everybody who looks."""
    app = create_app(settings_of(shared_home), ServingSettings(model_poll_seconds=600, overview_seconds=0))
    with running(app) as client:
        console = Console(shared_home, client)
        yield console
        console.close()


@pytest.fixture(scope="module")
def filled(console: Console) -> Console:
    ledger = Ledger.open(settings_of(console.home))
    with ledger.write() as conn:
        put_many(conn, 300, now_us())
    ledger.close()
    return console


def test_without_cases_it_says_so(console: Console) -> None:
    page = words(console.of("analyst").get("/overview"))
    assert "No figures yet" in page
    assert "Version in use" in page
    assert "No drift report yet" in page


def test_it_shows_figures_and_no_person(filled: Console) -> None:
    response = filled.of("analyst").get("/overview")
    page = words(response)
    for heading in (
        "Cases opened, day by day",
        "How cases ended, week by week",
        "How right the reasons were",
        "How far staff agree",
        "Random checks",
        "Model and drift",
    ):
        assert heading in page
    assert "many-c-" not in response.text
    assert "K-00000" not in response.text
    assert response.text.count('<svg class="chart"') == 2


@pytest.mark.parametrize(("query", "days"), [("?days=30", 30), ("?days=365", 365), ("?days=7", 90), ("?days=x", 90)])
def test_the_stretch_is_one_of_a_few(filled: Console, query: str, days: int) -> None:
    page = filled.of("lead").get(f"/overview{query}")
    assert f"cases were opened in {days} days" in words(page)
    assert f'days={days}" aria-current="page"' in page.text


def test_the_drift_report_is_shown_in_a_box_that_can_do_nothing(filled: Console) -> None:
    lead = filled.of("lead")
    folder = filled.home / "drift"
    shutil.rmtree(folder, ignore_errors=True)  # of another test
    assert lead.get("/overview/drift").status_code == 404
    folder.mkdir()
    (folder / "report.html").write_text("<h1>Drift</h1>")
    (folder / "report.json").write_text(json.dumps({"metrics": {"alarm": 1.0, "features_psi_max": 0.31}}))
    page = words(lead.get("/overview"))
    assert "The latest drift report raises an alarm" in page
    assert "0.31" in page
    report = lead.get("/overview/drift")
    assert report.text == "<h1>Drift</h1>"
    assert "sandbox" in report.headers["content-security-policy"]
    assert "script" not in report.headers["content-security-policy"]


def test_it_reads_in_dutch(filled: Console) -> None:
    page = words(filled.another("lead", language="nl").get("/overview"))
    assert "Hoe goed de redenen klopten" in page
    assert "Steekproeven" in page


def test_a_broken_report_takes_nothing_down(filled: Console) -> None:
    folder = filled.home / "drift"
    folder.mkdir(exist_ok=True)
    (folder / "report.json").write_text("{")
    assert "No drift report yet" in words(filled.of("lead").get("/overview"))
