from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from serving.staff import passwords


def test_hashes_are_argon2id_and_never_the_same() -> None:
    one, other = passwords.hashed("four words and more"), passwords.hashed("four words and more")
    assert one != other
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches("four words and more", one)
    assert not passwords.matches("four words and mor", one)


@pytest.mark.parametrize("kept", [None, "", "$none", "$argon2id$v=19$m=65536,t=3,p=4$x$y"])
def test_what_is_no_hash_matches_nothing(kept: str | None) -> None:
    assert not passwords.matches("nobody has this password", kept)


def test_hashes_of_other_parameters_are_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash("x"))
    assert not passwords.is_outdated(passwords.hashed("x"))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("correct horse battery", None),
        ("Zo'n lange zin onthoud je wel", None),
        ("🙂🙃🙂🙃 and some words", None),
        ("", "password.too_short"),
        ("elevenchars", "password.too_short"),
        ("x" * 201, "password.too_long"),
        ("aaaaaaaaaaaa", "password.too_easy"),
        ("123456789012", "password.too_easy"),
        ("qwertyuiop123456", "password.too_easy"),
        ("Returnwise2026", "password.too_easy"),
        ("annedevries2026", "password.too_easy"),
        ("anneliese@x1!", "password.too_easy"),
    ],
)
def test_which_passwords_are_taken(password: str, why: str | None) -> None:
    assert passwords.refusal(password, login="anneliese@example.com", name="Anne de Vries") == why
