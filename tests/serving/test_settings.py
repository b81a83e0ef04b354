from __future__ import annotations

import pytest

from serving.settings import ServingSettings


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ServingSettings.model_fields:
        monkeypatch.setenv(f"RETURNWISE_{name.upper()}", "")
    settings = ServingSettings()
    assert {name: getattr(settings, name) for name in ServingSettings.model_fields} == {
        name: field.default for name, field in ServingSettings.model_fields.items()
    }
