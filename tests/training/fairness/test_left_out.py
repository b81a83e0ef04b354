"""No protected trait, and nothing that stands in for one, is shown to the model."""

from __future__ import annotations

import pytest

from features.service import MODEL_FEATURES
from features.signals import ModelFeature
from tests.support.returns import feature
from training.fairness.left_out import made_of, read_left_out

LEFT_OUT = read_left_out()


def test_the_model_sees_none_of_it() -> None:
    assert LEFT_OUT.found_in(MODEL_FEATURES) == []


@pytest.mark.parametrize(
    "name",
    [
        "order_country",
        "request_size",
        "customer_age",
        "customer_gender",
        "email_domain",
        "address_postcode",
        "customer_surname",
        "session_language",
        "customer_nationality",
    ],
)
def test_a_stand_in_is_found_by_its_name(name: str) -> None:
    (sentence,) = LEFT_OUT.found_in([feature(name)])
    assert sentence.startswith(f"The feature {name} may stand in for a protected trait")


def test_a_stand_in_is_found_behind_a_harmless_name() -> None:
    hidden = ModelFeature("order_kind", "stated", 0, "", "", lambda v: v["order_country_code"] * 2.0 + v["orders"])
    assert made_of(hidden) == ["order_country_code", "orders"]
    assert "Country" in LEFT_OUT.found_in([hidden])[0]


def test_what_is_let_in_is_used_and_has_a_reason() -> None:
    names = [f.name for f in MODEL_FEATURES]
    for entry in LEFT_OUT.let_in:
        assert len(entry.reason) > 40
        for pattern in entry.features:
            prefix, _, _ = pattern.partition("*")
            assert any(name.startswith(prefix) for name in names), pattern
    assert LEFT_OUT.found_in([feature("country_loss_rate_30d"), feature("sku_return_rate_7d")]) == []


def test_every_entry_says_why() -> None:
    assert len(LEFT_OUT.left_out) >= 9
    for entry in LEFT_OUT.left_out:
        assert entry.reason.endswith(".")
        assert all(word == word.lower() for word in entry.words)
