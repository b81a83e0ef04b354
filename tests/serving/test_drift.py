"""Figures of the latest drift report under `/metrics`, and what becomes of a report that is none."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from serving.drift import MODE_DRIFT, DriftMetrics
from tests.support.repository import ROOT
from tests.support.service import Api

FIGURES = {
    "alarm": 1.0,
    "features_drifted_share": 0.25,
    "features_drifted_importance": 0.1,
    "features_psi_max": 0.4,
    "estimated_precision_at_2": 0.31,
}


@pytest.fixture
def report(shared_home: Path) -> Path:
    path = shared_home / "drift" / "report.json"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def shown(api: Api) -> dict[str, float]:
    """The metrics of drift, and whether the service says that it works without them."""
    lines = api.client.get("/metrics").text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    out = {
        name.removeprefix("returnwise_drift_"): float(v) for name, v in values.items() if "returnwise_drift_" in name
    }
    return out | {"degraded": float(values[f'returnwise_degraded{{mode="{MODE_DRIFT}"}}'])}


def write(path: Path, text: str, *, seconds_old: float = 0.0) -> None:
    path.write_text(text, encoding="utf-8")
    moment = path.stat().st_mtime - seconds_old
    os.utime(path, (moment, moment))


def test_without_a_report_nothing_is_claimed(api: Api, report: Path) -> None:
    got = shown(api)
    assert got.pop("degraded") == 0
    assert len(got) == 6
    assert all(math.isnan(value) for value in got.values())


def test_the_latest_report_is_shown_with_its_age(api: Api, report: Path) -> None:
    write(report, json.dumps({"metrics": FIGURES}), seconds_old=7_200)
    got = shown(api)
    assert got["alarm"] == 1
    assert got["features_share"] == 0.25
    assert got["importance_share"] == 0.1
    assert got["psi_max"] == 0.4
    assert got["estimated_precision"] == 0.31
    assert got["report_age_seconds"] == pytest.approx(7_200, abs=60)
    assert got["degraded"] == 0
    write(report, json.dumps({"metrics": {"alarm": 0.0}}))
    got = shown(api)
    assert got["alarm"] == 0
    assert math.isnan(got["psi_max"])
    assert got["report_age_seconds"] < 60


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"metrics": 3}', '{"metrics": null}'])
def test_a_report_that_is_none_takes_nothing_down(api: Api, report: Path, text: str) -> None:
    write(report, json.dumps({"metrics": FIGURES}))
    assert shown(api)["alarm"] == 1
    write(report, text, seconds_old=3)
    for _ in range(2):
        got = shown(api)
        assert got["degraded"] == 1
        assert math.isnan(got["alarm"])
    write(report, json.dumps({"metrics": FIGURES}))
    assert shown(api)["degraded"] == 0
    report.unlink()
    assert shown(api)["degraded"] == 0


def test_a_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "drift" / "report.json"
    path.parent.mkdir()
    write(path, json.dumps({"metrics": FIGURES}))
    followed = DriftMetrics(tmp_path)
    followed.refresh()
    before = path.stat()
    path.write_bytes(b" " * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    followed.refresh()
    assert followed._figures == FIGURES


def test_the_mode_stands_in_the_documents() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f'`returnwise_degraded{{mode="{MODE_DRIFT}"}}`' in page
