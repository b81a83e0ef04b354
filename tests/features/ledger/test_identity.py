from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ledger.errors import LedgerError
from features.ledger.identity import KeyHasher
from features.settings import Settings

ENTITIES = ("email", "address", "payment", "device")


class TestHashes:
    def test_are_32_hexadecimal_characters(self, hasher: KeyHasher) -> None:
        for entity in ENTITIES:
            hashed = hasher.hashed(entity, "some value")
            assert hashed is not None
            assert len(hashed) == 32
            assert set(hashed) <= set("0123456789abcdef")

    def test_depend_on_the_key(self, hasher: KeyHasher) -> None:
        assert hasher.address("x") != KeyHasher(b"another key").address("x")

    def test_depend_on_what_is_hashed(self, hasher: KeyHasher) -> None:
        assert len({hasher.hashed(entity, "x") for entity in ENTITIES}) == len(ENTITIES)

    def test_ignore_space_around_and_the_case_of_an_email(self, hasher: KeyHasher) -> None:
        assert hasher.email(" ANN@example.com\n") == hasher.email("ann@example.com")
        assert hasher.address(" 1 High Street ") == hasher.address("1 High Street")
        assert hasher.address("High Street") != hasher.address("high street")

    @pytest.mark.parametrize("nothing", [None, "", "  \t"])
    def test_nothing_stays_nothing(self, hasher: KeyHasher, nothing: str | None) -> None:
        assert [hasher.hashed(entity, nothing) for entity in ENTITIES] == [None] * 4

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_tell_any_two_texts_apart(self, first: str, second: str) -> None:
        hasher = KeyHasher(b"k")
        assert (hasher.device(first) == hasher.device(second)) == (first.strip() == second.strip())

    def test_long_keys_count_in_full(self) -> None:
        key = b"k" * 100
        assert KeyHasher(key + b"1").device("x") != KeyHasher(key + b"2").device("x")

    def test_an_empty_key_is_refused(self) -> None:
        with pytest.raises(LedgerError, match="empty"):
            KeyHasher(b"")


class TestKey:
    def test_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "new", hash_key="")
        first = KeyHasher.open(settings)
        file = settings.home / "hash.key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(bytes.fromhex(file.read_text())) == 32
        assert KeyHasher.open(settings).email("x") == first.email("x")
        assert [path.name for path in settings.home.iterdir()] == ["hash.key"]

    def test_differs_from_home_to_home(self, tmp_path: Path) -> None:
        one, two = (KeyHasher.open(Settings(home=tmp_path / name, hash_key="")) for name in "ab")
        assert one.fingerprint != two.fingerprint

    def test_is_the_same_for_all_who_come_at_once(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path, hash_key="")
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _: KeyHasher.open(settings).fingerprint, range(32)))
        assert len(found) == 1

    def test_of_the_settings_comes_first_and_leaves_no_file(self, tmp_path: Path) -> None:
        hasher = KeyHasher.open(Settings(home=tmp_path, hash_key="secret"))
        assert hasher.email("x") == KeyHasher(b"secret").email("x")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("content", ["", "not hexadecimal", "abcd", "\xff"])
    def test_that_is_no_key_is_refused_and_kept(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "hash.key"
        file.write_text(content, encoding="latin-1")
        with pytest.raises(LedgerError, match="does not hold a hash key"):
            KeyHasher.open(Settings(home=tmp_path, hash_key=""))
        assert file.read_text(encoding="latin-1") == content
