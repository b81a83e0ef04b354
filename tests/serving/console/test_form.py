from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from features.ledger.identity import KeyHasher
from serving.console.form import Form, read_form
from serving.console.kept import Kept, keep, seal, unseal
from serving.problems import BodyTooLarge, MalformedBody

HASHER = KeyHasher(b"a key for these tests")
URLENCODED = "application/x-www-form-urlencoded"


def request(parts: Iterable[bytes], content_type: str = URLENCODED, length: int | None = None) -> Request:
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    left = iter(messages)

    async def receive() -> Message:
        return next(left, {"type": "http.disconnect"})

    headers = [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, receive)


def read(
    *parts: bytes, content_type: str = URLENCODED, length: int | None = None, limit: int = 1000, files: int = 0
) -> Form:
    return asyncio.run(read_form(request(parts, content_type, length), max_bytes=limit, max_files=files))


class TestReading:
    def test_fields_in_their_order(self) -> None:
        form = read(b"a=1&b=%C3%A9+x", b"&a=2")
        assert form.fields == [("a", "1"), ("b", "é x"), ("a", "2")]
        assert form.every("a") == ["1", "2"]

    def test_more_than_the_limit_is_not_read(self) -> None:
        for length in (None, 2000):
            with pytest.raises(BodyTooLarge):
                read(b"a=" + b"x" * 500, b"x" * 500, length=length)
        assert read(b"a=" + b"x" * 998).raw("a")

    def test_files_only_where_they_are_expected(self) -> None:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\nabc\r\n'
            b'--x\r\nContent-Disposition: form-data; name="words"\r\n\r\nhello\r\n--x--\r\n'
        )
        kind = "multipart/form-data; boundary=x"
        form = read(body, content_type=kind, files=1)
        file = form.file("f")
        assert file is not None
        assert asyncio.run(file.read()) == b"abc"
        assert form.raw("words") == "hello"
        asyncio.run(form.close())
        assert file.file.closed
        with pytest.raises(MalformedBody):
            read(body, content_type=kind, files=0)

    @pytest.mark.parametrize(
        ("body", "kind"),
        [(b"--y\r\n", "multipart/form-data; boundary=x"), (b"abc", "multipart/form-data"), (b"a=1&" * 600, URLENCODED)],
    )
    def test_what_is_no_form_is_refused(self, body: bytes, kind: str) -> None:
        with pytest.raises(MalformedBody):
            read(body, content_type=kind, limit=100_000)

    def test_json_is_an_empty_form(self) -> None:
        assert read(b"{}", content_type="application/json").fields == []


class TestFields:
    @given(st.text(max_size=200), st.booleans())
    def test_a_text_can_always_be_stored_and_shown(self, typed: str, lines: bool) -> None:
        form = Form([("words", typed)])
        text = form.text("words", longest=1000, lines=lines)
        assert text == text.strip()
        assert unicodedata.is_normalized("NFC", text)
        assert "\x00" not in text
        assert lines or "\n" not in text
        text.encode()

    def test_lines_stay_lines(self) -> None:
        assert Form([("a", " one\r\ntwo\rthree\t4 \u202e")]).text("a", longest=99, lines=True) == "one\ntwo\nthree\t4"

    def test_errors_name_the_field_and_the_first_stands(self) -> None:
        form = Form([("long", "xxx"), ("role", "boss"), ("days", "12"), ("half", "1.5")])
        assert form.text("long", longest=2) == "xxx"
        assert form.text("none", longest=2, required=True) == ""
        assert form.choice("role", ("desk", "lead")) == ""
        assert form.choice("other", ("desk", "lead")) == ""
        assert form.choice("optional", ("desk",), required=False) == ""
        assert form.integer("days", least=1, most=10) is None
        assert form.integer("half", least=1, most=10) is None
        assert form.integer("empty", least=1, most=10, required=False) is None
        form.refuse("long", "form.missing")
        assert {name: problem.key for name, problem in form.errors.items()} == {
            "long": "form.too_long",
            "none": "form.missing",
            "role": "form.not_a_choice",
            "other": "form.choose",
            "days": "form.not_within",
            "half": "form.not_within",
        }
        assert not form.is_fine

    def test_a_box_that_was_unticked_is_told_from_one_that_was_not_there(self) -> None:
        form = Form([("on", "0"), ("on", "1"), ("off", "0")])
        assert (form.flag("on"), form.flag("off"), form.flag("none")) == (True, False, False)
        assert (form.has("off"), form.has("none")) == (True, False)


class TestKept:
    @given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=50)), max_size=8))
    def test_words_survive_and_secrets_do_not(self, fields: list[tuple[str, str]]) -> None:
        storable = [(name, value.encode("utf-8", "replace").decode()) for name, value in fields]
        form = Form([*storable, ("form_key", "k"), ("new_password", "p"), ("password", "p")])
        kept = keep(form, path="/x", page="/y", staff_id="s1")
        assert "p" not in dict(kept.fields).values() or "p" in dict(storable).values()
        assert "form_key" not in dict(kept.fields)
        assert unseal(seal(kept, HASHER), HASHER) == kept

    @pytest.mark.parametrize("sealed", ["", "x", "é", "\ud800", "gAAAAA" * 20])
    def test_what_was_not_sealed_here_is_nothing(self, sealed: str) -> None:
        assert unseal(sealed, HASHER) is None

    def test_nothing_of_it_can_be_read_or_changed(self) -> None:
        kept = Kept("/x", "/y", (("words", "something about somebody"),), None)
        sealed = seal(kept, HASHER)
        assert "something" not in sealed
        assert unseal(sealed, KeyHasher(b"another key")) is None
        assert unseal(sealed[:-4] + "AAA=", HASHER) is None

    def test_words_of_nobody_known_may_be_anybodys(self) -> None:
        assert Kept("/", "/", (), None).is_for("s1")
        assert Kept("/", "/", (), "s1").is_for("s1")
        assert not Kept("/", "/", (), "s2").is_for("s1")

    def test_what_is_too_long_does_not_travel(self) -> None:
        assert seal(Kept("/", "/", (("words", "x" * 300_000),), None), HASHER) == ""
