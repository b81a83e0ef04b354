from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.reasons import CODES, GROUPS, group_of, group_sums, strongest
from features.service import MODEL_FEATURES, VECTOR
from serving.assessments.schemas import ReasonAnswer
from serving.policy.source import default_policy
from serving.reasons import describe
from serving.reasons.catalogue import FILE, Group, default_catalogue, load
from serving.reasons.explain import Explainer
from serving.reasons.facts import CatalogueError, Fact, sentence
from serving.reasons.help import helps
from tests.support.words import judging_words

CATALOGUE = default_catalogue()
EXPLAINER = Explainer(CATALOGUE)
#: Beyond single words: ways of blaming somebody.
_BLAMING = re.compile(r"\b(blame|lie[sd]?|steal|stole|fake|fraud|abus|accus|trick|deceiv)", re.IGNORECASE)


def vector(**values: float) -> np.ndarray:
    row = np.zeros(len(VECTOR))
    for name, value in values.items():
        row[VECTOR.index(name)] = value
    return row


def contributions(**sums: float) -> np.ndarray:
    """Log-odds that sum to the given value in each named family."""
    row = np.zeros(len(MODEL_FEATURES))
    for family, amount in sums.items():
        row[next(i for i, feature in enumerate(MODEL_FEATURES) if feature.family == family)] = amount
    return row


class TestCatalogue:
    def test_every_feature_belongs_to_exactly_one_group(self) -> None:
        listed = [name for group in CATALOGUE.groups for name in group.features]
        assert sorted(listed) == sorted(feature.name for feature in MODEL_FEATURES)
        for group, code in zip(CATALOGUE.groups, CODES, strict=True):
            assert (group.reason.code, group.families) == (code, GROUPS[code])

    def test_codes(self) -> None:
        codes = [entry.code for entry in CATALOGUE.entries()]
        assert len(set(codes)) == len(codes) == 2 * len(CATALOGUE.groups)
        assert CATALOGUE.groups[1].reason.title == "Returns more of what they buy than similar shoppers"
        assert CATALOGUE.groups[1].reason.code == "R02"

    @pytest.mark.parametrize("entry", list(CATALOGUE.entries()), ids=lambda entry: entry.code)
    def test_words_are_kind(self, entry: object) -> None:
        for text in entry.texts():  # type: ignore[attr-defined]
            assert not judging_words(text)
            assert not _BLAMING.search(text), text

    def test_so_are_the_notices(self) -> None:
        for text in default_policy().languages.texts["en"].notices.values():
            assert not judging_words(text)
            assert not _BLAMING.search(text), text

    @pytest.mark.parametrize("entry", list(CATALOGUE.entries()), ids=lambda entry: entry.code)
    def test_texts_are_whole(self, entry: object) -> None:
        for text in entry.texts():  # type: ignore[attr-defined]
            assert text == text.strip()
        for text in entry.sentence_texts:  # type: ignore[attr-defined]
            assert text.endswith(".")

    def test_the_page_holds_all_of_it(self) -> None:
        page = describe()
        for entry in CATALOGUE.entries():
            assert all(text in page for text in entry.texts())
        assert all(f"`{feature.name}`" in page for feature in MODEL_FEATURES)
        for about in helps("en").values():
            assert all(text in page for text in (about.means, about.does_not_mean, about.settles, *about.innocent))


class TestLoad:
    @pytest.mark.parametrize(
        ("old", "new", "cause"),
        [
            ('code = "R02"', 'code = "R01"', "R01 is used twice"),
            ('code = "R02"', 'code = "R16"', "R02 is in only one of"),
            ('code = "A02"', 'code = "A01"', "A01 is used twice"),
            ("{checks|earlier check}", "{chekcs|earlier check}", "unknown fact 'chekcs'"),
            ("{checks|earlier check}", "{checks|earlier check", "brace"),
            ('"confirmed >= 1"', '"confirmed => 1"', "cannot be read"),
            ('"confirmed >= 1"', '"nothing >= 1"', "unknown fact 'nothing'"),
            ("{similar_lines?comes|come}", "{similar_lines?comes}", "both forms"),
            ('value = "customer_claims_365d"', 'value = "customer_claims_366d"', "no 'customer_claims_366d'"),
            (
                'orders = { value = "customer_orders_lifetime" }',
                'orders = { value = "customer_orders_lifetime", show = "word" }',
                "no word",
            ),
            ('  { text = "The make-up of the order lowers the risk." },\n', "", "A14: the last sentence"),
            ("[facts]", "[facts]\nspare = { value = 'request_items' }", "'spare' is declared and never used"),
            ("[facts]", "[fatcs]", "facts"),
            ("[[groups]]", "[[groups", "catalogue.toml"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, old: str, new: str, cause: str) -> None:
        text = FILE.read_text()
        assert old in text
        path = tmp_path / "catalogue.toml"
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(CatalogueError, match=re.escape(cause)):
            load(path)

    def test_the_groups_are_in_the_order_of_their_codes(self, tmp_path: Path) -> None:
        swapped = {'"R01"': '"R02"', '"R02"': '"R01"'}
        path = tmp_path / "catalogue.toml"
        path.write_text(re.sub(r'"R0[12]"', lambda found: swapped[found[0]], FILE.read_text()))
        with pytest.raises(CatalogueError, match="order"):
            load(path)


class TestExplain:
    def test_strongest_first_and_none_below_the_threshold(self) -> None:
        parts = contributions(rate=0.3, claims=0.9, timing=0.0999, value=0.1, tenure=-0.5, links=-0.05, product=-0.1)
        reasons, reassurances = EXPLAINER.explain(parts, vector(), claim=False, currency=None)
        assert [reason["code"] for reason in reasons] == ["R03", "R02", "R06"]
        assert [reason["contribution"] for reason in reasons] == [0.9, 0.3, 0.1]
        assert [each["code"] for each in reassurances] == ["A10", "A11"]
        assert EXPLAINER.codes(parts) == ["R03", "R02", "R06"]

    def test_at_most_four_of_each(self) -> None:
        families = [group.families[0] for group in CATALOGUE.groups]
        up = dict.fromkeys(families[:6], 0.2)
        down = dict.fromkeys(families[6:], -0.2)
        reasons, reassurances = EXPLAINER.explain(contributions(**up, **down), vector(), claim=False, currency=None)
        assert len(reasons) == len(reassurances) == 4

    def test_the_codes_are_those_that_training_tests(self) -> None:
        parts = np.random.default_rng(3).normal(0.0, 0.12, (200, len(MODEL_FEATURES)))
        sums = group_sums(parts, group_of([feature.family for feature in MODEL_FEATURES]))
        for row, places in zip(parts, strongest(sums), strict=True):
            assert EXPLAINER.codes(row) == [CODES[place] for place in places if place >= 0]

    def test_contributions_of_a_group_are_summed(self) -> None:
        parts = np.zeros(len(MODEL_FEATURES))
        of_rate = [i for i, feature in enumerate(MODEL_FEATURES) if feature.family == "rate"]
        parts[of_rate[:2]] = (0.5, -0.3)
        ((reason,), _) = EXPLAINER.explain(parts, vector(), claim=False, currency=None)
        assert reason["contribution"] == 0.2

    def test_the_example_of_the_design(self) -> None:
        facts = {
            "customer_items_bought_90d": 9,
            "customer_items_returned_90d": 7,
            "customer_expected_returns_ppm_90d": 3_120_000,
        }
        ((reason,), _) = EXPLAINER.explain(contributions(rate=0.91), vector(**facts), claim=False, currency="EUR")
        assert reason == {
            "code": "R02",
            "title": "Returns more of what they buy than similar shoppers",
            "detail": "7 items returned and 9 bought in the last 90 days; "
            "shoppers of the same categories return about 3.1 of 9.",
            "facts": {"items_returned_90d": 7, "items_bought_90d": 9, "expected_returned_90d": 3.1},
            "check": "Compare the item with the order photo and look for wear.",
            "contribution": 0.91,
        }

    def test_what_came_back_need_not_have_been_bought_in_the_window(self) -> None:
        facts = {
            "customer_items_bought_90d": 3,
            "customer_items_returned_90d": 5,
            "customer_expected_returns_ppm_90d": 400_000,
        }
        ((reason,), _) = EXPLAINER.explain(contributions(rate=0.5), vector(**facts), claim=False, currency="EUR")
        assert reason["detail"].startswith("5 items returned and 3 bought in the last 90 days;")

    @pytest.mark.parametrize("amount", [1.0, -1.0])
    @pytest.mark.parametrize("group", CATALOGUE.groups, ids=lambda group: group.reason.code)
    def test_there_are_facts_even_without_a_history(self, group: Group, amount: float) -> None:
        unknown = vector(request_items=1, request_value=1999, order_items_bought_lifetime=1, order_lines_lifetime=1)
        told = EXPLAINER.explain(contributions(**{group.families[0]: amount}), unknown, claim=False, currency="EUR")
        (each,) = told[0] or told[1]
        assert each["facts"], each

    def test_an_unknown_customer_is_said_to_be_one(self) -> None:
        for family in ("rate", "tenure"):
            for amount in (1.0, -1.0):
                told = EXPLAINER.explain(contributions(**{family: amount}), vector(), claim=False, currency=None)
                (each,) = told[0] or told[1]
                assert "not known from any order before this request" in each["detail"]
                assert each["facts"]["orders"] == 0

    def test_customers_are_told_what_was_looked_at(self) -> None:
        for group in CATALOGUE.groups:
            for entry in (group.reason, group.reassurance):
                assert entry.customer.startswith(("We took into account", "We compared", "In your favour"))

    def test_a_word_is_a_fact_that_the_contract_describes(self) -> None:
        ((reason,), _) = EXPLAINER.explain(contributions(stated=0.5), vector(), claim=False, currency="EUR")
        assert ReasonAnswer.model_validate(reason).facts["stated_reason"] == "changed_mind"

    def test_a_claim_has_another_check(self) -> None:
        ((reason,), _) = EXPLAINER.explain(contributions(rate=0.91), vector(), claim=True, currency="EUR")
        assert "carrier" in reason["check"]

    def test_what_is_not_known_is_not_told(self) -> None:
        row = vector(request_days_since_delivery=np.nan, request_days_since_order=np.nan)
        (_, (reassurance,)) = EXPLAINER.explain(contributions(timing=-0.4), row, claim=False, currency=None)
        assert reassurance["detail"] == "The time between order, delivery and request lowers the risk."
        assert reassurance["facts"] == {}

    @given(
        st.integers(0, 2**32 - 1),
        st.booleans(),
        st.sampled_from([None, "EUR"]),
        st.integers(0, len(CATALOGUE.groups) - 1),
    )
    def test_no_sentence_is_half_filled(self, seed: int, claim: bool, currency: str | None, number: int) -> None:
        values = [np.nan, -1.0, 0.0, 0.4, 1.0, 1.0, 2.0, 3.7, 1500.0, 9e9]
        row = np.random.default_rng(seed).choice(values, len(VECTOR))
        family = CATALOGUE.groups[number].families[0]
        for amount in (1.0, -1.0):
            told = EXPLAINER.explain(contributions(**{family: amount}), row, claim=claim, currency=currency)
            (each,) = told[0] or told[1]
            text = each["detail"]
            assert not re.search(r"[{}|?]|\bnan\b|None(?! of)|\binf\b", text), text
            assert not re.search(r"(?<!-)\b1 (items|orders|returns|claims|days|lines|customers|checks)\b", text), text
            assert all(value == value for value in each["facts"].values())


FACTS = {"n": Fact("n", "n", 0), "m": Fact("m", "m", 1, scale=0.01, decimals=2, show="money")}


class TestSentences:
    def say(self, text: str, n: float, m: float = 0.0, currency: str = "EUR") -> str:
        filled = sentence(text, [], FACTS).fill(np.array([n, m]), currency)
        assert filled is not None
        return filled[0]

    @pytest.mark.parametrize(
        ("n", "expected"), [(0, "0 items are"), (1, "1 item is"), (2, "2 items are"), (1234, "1,234 items are")]
    )
    def test_number_and_noun(self, n: float, expected: str) -> None:
        assert self.say("{n|item} {n?is|are}", n) == expected

    def test_money(self) -> None:
        assert self.say("{m}", 0, 123_456) == "1,234.56 EUR"
        assert self.say("{m}", 0, 5, currency="") == "0.05"

    @pytest.mark.parametrize(("value", "text"), [(0.0, "0%"), (0.034, "3.4%"), (0.5, "50%"), (1.0, "100%")])
    def test_percent(self, value: float, text: str) -> None:
        assert Fact("p", "p", 0, show="percent").text(value, "") == text

    @pytest.mark.parametrize(
        ("value", "text"), [(0.04, "fewer than 0.1"), (0.2, "about 0.2"), (3.44, "about 3.4"), (1234.5, "about 1,234")]
    )
    def test_about(self, value: float, text: str) -> None:
        assert Fact("p", "p", 0, show="about").text(value, "") == text


def test_the_file_is_in_the_order_of_its_codes() -> None:
    groups = tomllib.loads(FILE.read_text())["groups"]
    assert [group["reason"]["code"] for group in groups] == [f"R{n:02d}" for n in range(1, len(groups) + 1)]
    assert [group["reassurance"]["code"] for group in groups] == [f"A{n:02d}" for n in range(1, len(groups) + 1)]
