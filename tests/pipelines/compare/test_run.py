"""`returnwise compare`, from ledger and registry to page and run; and the commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from features.clock import DAY
from features.ledger.sql import rows
from features.settings import Settings, get_settings
from pipelines.cli import app
from pipelines.compare import compare, fill
from pipelines.compare.versions import CompareError
from tests.support.assessed import ENDED, Home
from training.registry import tracking

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_the_better_challenger_is_found(settings: Settings, home: Home) -> None:
    report = compare(settings)
    made = report.comparison
    with home.ledger.read() as conn:
        found = rows(
            conn,
            "SELECT i.finding = 'worn', a.risk FROM assessments a JOIN inspections i USING (return_id)"
            " WHERE a.requested_at > ?",
            (ENDED,),
        )
        ((total,),) = rows(conn, "SELECT COUNT(*) FROM assessments WHERE requested_at > ?", (ENDED,))
    worn = [bool(row[0]) for row in found]
    assert (made.champion, made.challenger) == ("1", "2")
    assert (made.counts.assessments, made.counts.labelled, made.counts.positives) == (total, len(found), sum(worn))
    assert (made.counts.computed, made.counts.with_odds) == (total, len(found))
    assert made.counts.effective == pytest.approx(len(found))  # all of them at the same odds
    assert made.counts.triggers == {"random": len(found)}
    auc = made.raw["auc"]
    assert auc.champion == pytest.approx(roc_auc_score(worn, [row[1] for row in found]))
    assert auc.champion < 0.6
    assert auc.challenger > 0.75
    assert auc.low > 0
    assert "Enough to decide: version 2 orders returns better than version 1" in report.lines()[-2]
    text = report.page.read_text()
    assert report.page == settings.home / "compare" / "2-against-1" / "report.html"
    assert text.count("data:image/png") == 2
    assert f"{total:,}" in text
    client = tracking.client(settings)
    with tracking.quiet():
        run = client.get_run(report.run_id)
        artifacts = {item.path for item in client.list_artifacts(report.run_id, "compare")}
    assert run.info.run_name == "compare"
    assert run.data.params["challenger"] == "2"
    assert run.data.metrics["difference_auc"] == pytest.approx(auc.value)
    assert run.data.metrics["enough_to_decide"] == 1
    assert {f"compare/{name}" for name in ("report.html", "report.md", "precision.png", "agreement.png")} == artifacts


def test_filling_changes_nothing_in_the_report_but_what_was_computed(settings: Settings) -> None:
    before = compare(settings)
    page = (before.page.parent / "report.md").read_text()
    pictures = [path.read_bytes() for path in sorted(before.page.parent.glob("*.png"))]
    computed = fill(settings).scored
    after = compare(settings)
    assert (before.comparison.counts.computed, after.comparison.counts.computed) == (computed, 0)
    expected = page.replace(f"computed | {computed:,} |", "computed | 0 |")
    assert (after.page.parent / "report.md").read_text() == expected != page
    assert [path.read_bytes() for path in sorted(after.page.parent.glob("*.png"))] == pictures


class TestSince:
    def test_a_later_day_leaves_out_what_was_before(self, settings: Settings, home: Home) -> None:
        home.change("DELETE FROM verdicts", "DELETE FROM inspections")
        report = compare(settings, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ENDED, days=100))
        assert report.comparison.since >= ENDED + 100 * DAY
        assert report.comparison.weighted == {}
        assert "has a label yet" in report.lines()[-2]
        assert report.page.read_text().count("data:image/png") == 1

    def test_an_earlier_day_decides_nothing(self, settings: Settings, home: Home) -> None:
        home.change("UPDATE inspections SET finding = 'worn'")
        report = compare(settings, datetime(2000, 1, 1))  # noqa: DTZ001 - as the command line gives it
        assert report.comparison.counts.learned_from > 0
        assert report.comparison.raw == {}  # nothing but findings
        assert "Nothing can be decided" in report.lines()[-2]

    def test_no_assessments(self, settings: Settings) -> None:
        with pytest.raises(CompareError, match="there are no assessments since 2099-01-01 on which to compare"):
            compare(settings, datetime(2099, 1, 1, tzinfo=UTC))

    def test_none_that_can_be_read(self, settings: Settings, home: Home) -> None:
        home.change("UPDATE assessments SET feature_service = 'returnwise_v0', model_version = '9'")
        with pytest.raises(CompareError, match="another version of the features made the vectors of all"):
            compare(settings)


class TestCommands:
    @pytest.fixture(autouse=True)
    def environment(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RETURNWISE_HOME", str(settings.home))
        monkeypatch.setenv("RETURNWISE_HASH_KEY", settings.hash_key)
        monkeypatch.setenv("RETURNWISE_MLFLOW_TRACKING_URI", settings.tracking_uri)
        get_settings.cache_clear()

    def test_fill_and_compare(self) -> None:
        done = CliRunner().invoke(app, ["challenge", "--fill"])
        assert done.exit_code == 0, done.output
        assert "assessments scored with version 2" in done.stdout
        done = CliRunner().invoke(app, ["compare", "--since", "2025-03-01"])
        assert done.exit_code == 0, done.output
        assert "Version 2 (challenger) against version 1 (champion)" in done.stdout

    @pytest.mark.parametrize("arguments", [[], ["2", "--end"], ["--end", "--fill"]])
    def test_what_makes_no_sense(self, arguments: list[str]) -> None:
        assert CliRunner().invoke(app, ["challenge", *arguments]).exit_code == 2

    def test_the_champion_is_no_challenger(self) -> None:
        done = CliRunner().invoke(app, ["challenge", "1"])
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "returnwise: version 1 is the champion; a challenger is another version\n"
