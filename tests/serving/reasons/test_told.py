from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.service import MODEL_FEATURES, VECTOR
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer
from serving.reasons.told import Told, told, words_of
from serving.reasons.translation import LANGUAGES, SOURCE, translation
from tests.support.service import Api

CATALOGUE = default_catalogue()
EXPLAINER = Explainer(CATALOGUE)
OTHERS = [language for language in LANGUAGES if language != SOURCE]


def figures(text: str) -> list[str]:
    """The numbers of a sentence, in digits alone and in any order: a language may turn the sentence round."""
    return sorted(re.sub(r"\D", "", number) for number in re.findall(r"\d[\d.,]*", text))


def explained(vector: np.ndarray, amount: float, groups: Iterable[int], **stated: Any) -> tuple[list[Any], list[Any]]:
    """What is said where each of the groups moves the risk by that many log-odds."""
    contributions = np.zeros(len(MODEL_FEATURES))
    families = {CATALOGUE.groups[place].families[0] for place in groups if place < len(CATALOGUE.groups)}
    for place, feature in enumerate(MODEL_FEATURES):
        if feature.family in families:
            contributions[place] = amount
            families.remove(feature.family)
    return EXPLAINER.explain(contributions, vector, **({"claim": False, "currency": "EUR"} | stated))


def check_told(reason: dict[str, object], language: str) -> Told:
    assert told(reason, SOURCE)[1:4] == (reason["title"], reason["detail"], reason.get("check", ""))
    other = told(reason, language)
    assert other.language == language, reason
    assert set(figures(other.detail)) == set(figures(str(reason["detail"]))), (reason, other)
    assert not re.search(r"[{}|?]", other.detail)
    assert bool(other.check) == ("check" in reason)
    assert other.customer == words_of(str(reason["code"]), language).customer
    return other


@pytest.mark.parametrize("language", OTHERS)
@given(
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.sampled_from([None, "EUR"]),
    st.integers(0, len(CATALOGUE.groups) - 1),
)
@settings(max_examples=300)
def test_whatever_was_said_is_found_again(
    language: str, seed: int, claim: bool, currency: str | None, number: int
) -> None:
    values = [np.nan, -1.0, 0.0, 0.0349, 0.4, 1.0, 1.0, 2.0, 3.7, 10.51, 949.0, 1500.0, 9_950_000.0, 10_510_000.0, 9e9]
    row = np.random.default_rng(seed).choice(values, len(VECTOR))
    for amount in (1.0, -1.0):
        reasons, reassurances = explained(row, amount, [number], claim=claim, currency=currency)
        (each,) = reasons or reassurances
        check_told(each, language)


@pytest.mark.parametrize("language", OTHERS)
def test_stored_assessments_tell_the_same_in_another_language(api: Api, language: str) -> None:
    codes = set()
    for number in range(24):
        body = {
            "return_id": f"told-{number}",
            "customer_id": f"c{number}",
            "order_id": f"o{number}-7",
            "lines": [{"line_id": "1", "quantity": 1}],
            "reason": "size_fit",
            "kind": "claim" if number % 3 == 0 else "return",
            "resolution": "exchange",
        }
        answered = api.assess(body)
        if answered.status_code == 422:  # all of the line came back before
            continue
        answer = answered.json()
        stored = api.show(answer["assessment_id"]).json()
        said = [*stored["reasons"], *stored["reassurances"]]
        vector = np.array([np.nan if value is None else value for value in stored["features"].values()])
        for amount in (1.0, -1.0):  # what another model would say of the same return
            for first in range(0, len(CATALOGUE.groups), 4):
                raising, lowering = explained(vector, amount, range(first, first + 4))
                said += raising + lowering
        for reason in said:
            codes.add(reason["code"])
            check_told(reason, language)
    assert codes == {entry.code for entry in CATALOGUE.entries()}


REASON = {
    "code": "R02",
    "title": "Returns more of what they buy than similar shoppers",
    "detail": "7 items returned and 1,009 bought in the last 90 days; "
    "shoppers of the same categories return about 11 of 1,009.",
    "facts": {"items_returned_90d": 7, "items_bought_90d": 1009, "expected_returned_90d": 10.5},
    "check": "Compare the item with the order photo and look for wear.",
    "contribution": 0.91,
}


def test_in_dutch() -> None:
    assert told(REASON, "nl") == Told(
        "nl",
        "Stuurt meer van de aankopen terug dan vergelijkbare klanten",
        "7 artikelen teruggestuurd en 1.009 gekocht in de laatste 90 dagen; "
        "klanten van dezelfde categorieën sturen er ongeveer 11 van 1.009 terug.",
        "Vergelijk het artikel met de foto bij de bestelling en kijk of het gedragen of gebruikt is.",
        "We hebben vergeleken hoeveel u terugstuurt met wat andere klanten van hetzelfde soort artikelen terugsturen.",
    )


@pytest.mark.parametrize(
    ("shown", "fact", "expected"),
    [
        ("1,234.56 EUR", "request_value", "1.234,56 EUR"),
        ("3.4%", "share_of_order", "3,4%"),
        ("about 3.1", "expected_returned", "ongeveer 3,1"),
        ("fewer than 0.1", "expected_returned", "minder dan 0,1"),
        ("1,234", "orders", "1.234"),
        ("store credit", "resolution", "tegoed"),
    ],
)
def test_values_in_dutch(shown: str, fact: str, expected: str) -> None:
    assert translation("nl").shown(CATALOGUE.facts[fact], shown) == expected


def test_one_and_many() -> None:
    for count, expected in ((1, "1 eerdere retour is bekeken en in orde bevonden."), (2, "2 eerdere retouren zijn ")):
        row = np.zeros(len(VECTOR))
        row[VECTOR.index("customer_cleared_lifetime")] = count
        row[VECTOR.index("customer_concerns_lifetime")] = 1
        (_, (reassurance,)) = explained(row, -1.0, [0])
        assert told(reassurance, "nl").detail.startswith(expected)


@pytest.mark.parametrize(
    "changed",
    [
        {"detail": "Words of an earlier catalogue, about 7 of 9."},
        {"title": "A title of an earlier catalogue"},
        {"check": "A check of an earlier catalogue."},
        {"facts": {"items_returned_90d": 7}},
        {"code": "R99"},
    ],
)
def test_what_the_catalogue_no_longer_says_stays_as_it_was_said(changed: dict[str, object]) -> None:
    reason = REASON | changed
    kept = told(reason, "nl")
    assert kept[:4] == ("en", reason["title"], reason["detail"], reason["check"])


def test_an_unknown_language_is_told_in_english() -> None:
    assert told(REASON, "xx").language == "en"
    assert words_of("R02", "xx") == words_of("R02", "en")
