"""The documents tell what the code holds: settings, commands, endpoints, metrics, features and reasons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from features.declarations import ENTITIES
from features.service import MODEL_FEATURES, SERVICE
from features.settings import Settings, get_settings
from pipelines import docs
from pipelines.cli import app
from serving import metrics
from serving.keys.scopes import Scope
from serving.model import troubles
from serving.reasons.catalogue import Group, default_catalogue
from tests.support.commands import commands
from tests.support.repository import ROOT, documents

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


class TestGeneratedPages:
    def test_they_are_current(self) -> None:
        stale = [page.name for page, text in docs.pages().items() if page.read_text(encoding="utf-8") != text]
        assert stale == [], "run `make docs`"

    def test_check_fails_on_a_page_that_is_not_current_and_leaves_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        page = tmp_path / "features.md"
        page.write_text("old")
        monkeypatch.setattr(docs, "pages", lambda: {page: "new"})
        assert docs.main(["--check"]) == 1
        assert page.read_text() == "old"
        assert docs.main([]) == 0
        assert page.read_text() == "new"
        assert docs.main(["--check"]) == 0

    def test_a_page_without_its_place_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no place for settings"):
            docs.between("# Operations", "settings", "")


class TestDictionary:
    page = docs.features()

    @pytest.mark.parametrize("name", [feature.name for feature in MODEL_FEATURES])
    def test_every_model_feature_stands_once(self, name: str) -> None:
        assert self.page.count(f"\n| `{name}` |") == 1

    @pytest.mark.parametrize("view", [entity.view for entity in ENTITIES])
    def test_every_view_has_a_section(self, view: str) -> None:
        assert f"View `{view}`" in self.page


class TestReasons:
    page = docs.reasons()

    @pytest.mark.parametrize("group", default_catalogue().groups, ids=lambda group: group.reason.code)
    def test_every_group_stands_with_both_its_codes_and_all_its_features(self, group: Group) -> None:
        for entry in (group.reason, group.reassurance):
            assert f"\n## {entry.code}: {entry.title}\n" in self.page
        assert f"\nFeatures: {', '.join(f'`{name}`' for name in group.features)}\n" in self.page


def names_of_settings() -> list[str]:
    return [f"RETURNWISE_{name.upper()}" for kind in docs.settings_classes() for name in kind.model_fields]


class TestOperations:
    @pytest.mark.parametrize("name", names_of_settings())
    def test_every_setting_stands_with_its_meaning(self, name: str) -> None:
        row = next(line for line in OPERATIONS.splitlines() if line.startswith(f"| `{name}` |"))
        assert len(row.split("|")[3].split()) >= 4, "a setting needs a description"

    @pytest.mark.parametrize("name", metrics.NAMES)
    def test_every_metric_stands(self, name: str) -> None:
        assert f"| `{name}` |" in OPERATIONS

    @pytest.mark.parametrize("mode", [value for name, value in vars(troubles).items() if name.startswith("MODE_")])
    def test_every_degraded_mode_stands(self, mode: str) -> None:
        assert f'`returnwise_degraded{{mode="{mode}"}}`' in OPERATIONS

    @pytest.mark.parametrize("command", commands(app))
    def test_every_command_stands(self, command: str) -> None:
        assert f"| `returnwise {command}` |" in OPERATIONS

    def test_no_command_stands_that_is_not_there(self) -> None:
        told = [line.split("`")[1] for line in OPERATIONS.splitlines() if line.startswith("| `returnwise ")]
        assert sorted(told) == sorted(f"returnwise {command}" for command in commands(app))

    def test_every_command_in_any_document_is_there(self) -> None:
        known = {command.split()[0] for command in commands(app)}
        told = {
            (page.name, word)
            for page in documents()
            for word in re.findall(r"(?:^|`|\$ |bin/|&& )returnwise ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
        }
        assert len(told) > 10
        assert {(page, word) for page, word in told if word not in known} == set()


def endpoints(folder: str) -> list[str]:
    """Method and path of every operation that the application describes."""
    from serving.app import create_app

    paths = create_app(Settings(home=Path(folder))).openapi()["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


def test_the_notebook_example_of_the_architecture_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RETURNWISE_HOME", str(tmp_path))
    get_settings.cache_clear()
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    get_settings.cache_clear()
    assert names["service"].name == SERVICE


class TestApi:
    page = ROOT / "docs" / "api.md"

    def test_every_endpoint_stands(self, tmp_path: Path) -> None:
        told = self.page.read_text(encoding="utf-8")
        found = endpoints(str(tmp_path))
        assert "POST /v1/assessments" in found
        assert [endpoint for endpoint in found if f"`{endpoint}`" not in told.replace("{id}", "{assessment_id}")] == []

    def test_every_scope_stands(self) -> None:
        told = self.page.read_text(encoding="utf-8")
        assert [scope.value for scope in Scope if f"`{scope.value}`" not in told] == []
