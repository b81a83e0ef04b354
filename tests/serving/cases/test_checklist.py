"""The checklist: what is on it for which case, and what is wrong with a file that is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from features.ledger.vocabulary import KINDS, REASONS
from pipelines.simulate.shop import CATEGORY_NAMES
from serving.cases import checklist
from serving.cases.checklist import ChecklistError, default_checklist
from tests.support.claims import claim
from tests.support.words import judging_words

ALL = default_checklist()
EVERY_CASE = [
    claim(category, kind=kind, reason=reason, proof_of_purchase=proof, tender=tender)
    for category in (*ALL.spec.groups, None)
    for kind in KINDS
    for reason in REASONS
    for proof, tender in ((None, None), (False, "other"))
]


def ids(listed: checklist.Listed) -> list[str]:
    return [check.id for check in listed.checks]


class TestWhatIsOnIt:
    @pytest.mark.parametrize(
        ("category", "group"),
        [
            ("apparel", "clothing"),
            ("event_wear", "clothing"),
            ("Women's Shoes", "shoes"),
            ("home-and-garden", "home"),
            ("Elektronica", "electronics"),
            ("showshoe", "general"),
            ("", "general"),
            (None, "general"),
        ],
    )
    def test_kind_of_product(self, category: str | None, group: str) -> None:
        assert ALL.group(category) == group

    def test_the_simulated_shop_has_kinds_for_all_it_sells(self) -> None:
        assert all(ALL.group(name) != "general" for name in CATEGORY_NAMES)

    def test_a_dress_is_looked_at_for_wear_and_a_phone_for_its_number(self) -> None:
        dress, phone = ids(ALL.of(claim("dresses"))), ids(ALL.of(claim("phones")))
        assert {"tags", "wear_cloth"} <= set(dress)
        assert {"serial", "power_on"} <= set(phone)
        assert not {"serial", "soles"} & set(dress)
        assert "tags" not in phone

    def test_what_was_said_comes_first(self) -> None:
        assert ids(ALL.of(claim("phones", reason="defective")))[0] == "fault_described"

    def test_a_claim_is_settled_by_the_carrier_and_not_by_an_item(self) -> None:
        listed = ALL.of(claim("phones", kind="claim", reason="not_received"))
        assert {"delivery_proof", "carrier_trace", "address_asked"} <= set(ids(listed))
        assert not {"serial", "complete"} & set(ids(listed))
        assert "carrier" in listed.settled_by[0]
        nowhere = ALL.of(claim("phones", kind="claim", reason="not_received", deliveries=()))
        assert "delivery_proof" not in ids(nowhere)

    def test_two_kinds_of_product_in_one_return(self) -> None:
        listed = ALL.of(claim("shoes", "beauty"))
        assert listed.groups == ("Shoes", "Beauty and care")
        assert {"soles", "seal_fill"} <= set(ids(listed))

    @pytest.mark.parametrize("language", ALL.languages)
    def test_every_case_has_a_short_list_and_something_that_settles_it(self, language: str) -> None:
        for each in EVERY_CASE:
            listed = ALL.of(each, language)
            assert 1 <= len(listed.checks) <= 10, (each.kind, each.reason, each.categories)
            assert listed.settled_by
            assert len(set(ids(listed))) == len(listed.checks)

    def test_every_item_is_on_some_list(self) -> None:
        assert {item.id for item in ALL.spec.items} == {name for each in EVERY_CASE for name in ids(ALL.of(each))}


class TestWords:
    def test_every_language_has_all_of_them(self) -> None:
        for told in ALL.translations.values():
            assert list(told.groups) == list(ALL.spec.groups)
            assert list(told.settles) == [each.id for each in ALL.spec.settles]
            assert list(told.items) == [each.id for each in ALL.spec.items]

    def test_they_judge_nobody(self) -> None:
        assert not [text for text in ALL.texts() if judging_words(text)]

    def test_dutch_is_dutch(self) -> None:
        english, dutch = ALL.of(claim("shoes")), ALL.of(claim("shoes"), "nl")
        assert ids(english) == ids(dutch)
        assert dutch.groups == ("Schoenen",)
        assert not {c.words.name for c in english.checks} & {c.words.name for c in dutch.checks}
        assert (ALL.name("soles"), ALL.name("soles", "nl"), ALL.name("gone")) == (
            "Soles and lining",
            "Zolen en voering",
            None,
        )

    def test_a_language_without_words_gets_english(self) -> None:
        assert ALL.of(claim("shoes"), "fr") == ALL.of(claim("shoes"))


class TestBadFiles:
    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        for path in checklist.FILE.parent.glob("checklist*.toml"):
            shutil.copy(path, tmp_path)
        return tmp_path / "checklist.toml"

    @pytest.mark.parametrize(
        ("old", "new", "place"),
        [
            ('id = "tags"', 'id = "soles"', r"checklist\.toml: items: the id 'soles' is used twice"),
            ('supports = ["worn", "as_described"]', 'supports = ["dirty"]', r"items '\w+': supports: 'dirty' is none"),
            ('groups = ["shoes"]', 'groups = ["shoos"]', r"items 'soles': groups: 'shoos' is none of shoes, jewellery"),
            ('reasons = ["defective"]', 'reasons = ["broken"]', r"settles 'fault': reasons: 'broken' is none"),
            ('when = ["delivered"]', 'when = ["sometimes"]', r"items\[4\] 'delivery_proof': when\.0: Input should be"),
            ('look = "Is it our label', 'lok = "Is it our label', r"items\[10\] 'return_label': (look|lok)"),
            ('"cycling", "camping"', '"cycling", "shoes"', r"groups\.sports: the word 'shoes' is in shoes, too"),
            ("words = []", 'words = ["rest"]', r"groups: the last one takes what fits nowhere"),
            ('version = "1"', "version = ", r"checklist\.toml: .*line 12"),
        ],
    )
    def test_the_error_names_the_place(self, copy: Path, old: str, new: str, place: str) -> None:
        text = copy.read_text(encoding="utf-8")
        assert old in text
        copy.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ChecklistError, match=place):
            checklist.load(copy)

    def test_words_for_nothing(self, copy: Path) -> None:
        other = copy.with_name("checklist.nl.toml")
        other.write_text(other.read_text(encoding="utf-8").replace("[items.soles]", "[items.sole]"), encoding="utf-8")
        with pytest.raises(ChecklistError, match=r"checklist\.nl\.toml: items\.sole: checklist\.toml has no such"):
            checklist.load(copy)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ChecklistError, match=r"mine\.toml: "):
            checklist.load(tmp_path / "mine.toml")

    def test_one_of_ones_own(self, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        copy.write_text(copy.read_text(encoding="utf-8").replace('version = "1"', 'version = "ours"'), encoding="utf-8")
        monkeypatch.setenv("RETURNWISE_CHECKLIST_FILE", str(copy))
        assert default_checklist.__wrapped__().version == "ours"

    def test_a_check_and_a_language_more(self, copy: Path) -> None:
        words = 'name = "Smell"\nlook = "?"\nhow = "."\ndoes_not_show = "."\n'
        block = f'\n[[items]]\nid = "smell"\ngroups = ["shoes"]\n{words}'
        copy.write_text(copy.read_text(encoding="utf-8") + block, encoding="utf-8")
        copy.with_name("checklist.fr.toml").write_text('[groups]\nshoes = "Chaussures"\n', encoding="utf-8")
        mine = checklist.load(copy)
        assert mine.languages == ("en", "fr", "nl")
        assert "smell" in ids(mine.of(claim("shoes")))
        assert mine.of(claim("shoes"), "fr").groups == ("Chaussures",)
