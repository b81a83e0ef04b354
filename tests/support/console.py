"""Staff of a home, and clients that are signed in to the console as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

from features.ledger.store import Ledger
from serving.audit.trail import SYSTEM
from serving.clock import now_us
from serving.staff import accounts, repository, sessions
from serving.staff.passwords import hashed
from serving.staff.repository import Person, Session
from tests.support.service import settings_of, unique

PASSWORD = "seven unrelated words"
_HASHES: dict[str, str] = {}


def password_hash(password: str = PASSWORD) -> str:
    """The hash of a password, made once in a run of tests."""
    if password not in _HASHES:
        _HASHES[password] = hashed(password)
    return _HASHES[password]


def add_person(home: Path, role: str, *, login: str = "", name: str = "", password: str | None = None) -> Person:
    """A member of staff; without `password`, with one that nobody needs to know."""
    login = login or unique(f"{role}-")
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.write() as conn:
            return accounts.add(
                conn,
                SYSTEM,
                login=login,
                name=name or f"Sam {login.title()}",
                role=role,
                now=now_us(),
                password_hash="$none" if password is None else password_hash(password),
            )
    finally:
        ledger.close()


def begin_session(home: Path, person: Person) -> tuple[Session, str]:
    """A session of the person, and the value of its cookie."""
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.write() as conn:
            return sessions.begin(conn, person, now_us(), hours=12)
    finally:
        ledger.close()


def end_sessions(home: Path, person: Person) -> None:
    """End all sessions of the person, as time would."""
    ledger = Ledger.open(settings_of(home))
    try:
        with ledger.write() as conn:
            repository.end_sessions(conn, person.staff_id, now_us())
    finally:
        ledger.close()


class Browser:
    """A client that behaves like a browser on one page: it keeps cookies, says where a form comes from, and does not
    follow redirects by itself. Paths are below the console."""

    def __init__(self, base_url: str, *, language: str = "en") -> None:
        self.client = httpx.Client(base_url=base_url, timeout=30, headers={"Accept-Language": language})
        self.origin = base_url.rstrip("/")

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return self.client.get(f"/console{path}", headers=headers)

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, files: Any = None, **headers: str
    ) -> httpx.Response:
        """What a form sends, with the header that a browser adds."""
        return self.client.post(
            f"/console{path}", data=dict(data or {}), files=files, headers={"Origin": self.origin} | headers
        )


class SignedIn(Browser):
    """A browser of a member of staff; forms carry the key of the session."""

    def __init__(self, home: Path, base_url: str, person: Person, *, language: str = "en") -> None:
        super().__init__(base_url, language=language)
        self.person = person
        self.session, self.token = begin_session(home, person)
        self.client.cookies.set("returnwise", self.token, domain=self.client.base_url.host)

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, files: Any = None, **headers: str
    ) -> httpx.Response:
        """What a form of this session sends."""
        return super().post(path, {"form_key": self.session.form_key} | dict(data or {}), files=files, **headers)


T = TypeVar("T", bound=Browser)


class Console:
    """A running service with its home; `of(role)` gives a browser of somebody with the role, the same each time."""

    def __init__(self, home: Path, client: httpx.Client) -> None:
        self.home = home
        self.base_url = str(client.base_url)
        self._of: dict[str, SignedIn] = {}
        self._open: list[Browser] = []

    def guest(self, *, language: str = "en") -> Browser:
        """A browser of nobody."""
        return self._opened(Browser(self.base_url, language=language))

    def of(self, role: str) -> SignedIn:
        """A browser of the one person of a role."""
        if role not in self._of:
            self._of[role] = self.another(role)
        return self._of[role]

    def another(self, role: str, *, language: str = "en", password: str | None = None) -> SignedIn:
        """A browser of another person with the role."""
        return self.signed_in(add_person(self.home, role, password=password), language=language)

    def signed_in(self, person: Person, *, language: str = "en") -> SignedIn:
        """A browser of the person, with a session of its own."""
        return self._opened(SignedIn(self.home, self.base_url, person, language=language))

    def close(self) -> None:
        """Close all browsers."""
        for browser in self._open:
            browser.client.close()

    def _opened(self, browser: T) -> T:
        self._open.append(browser)
        return browser


def words(response: httpx.Response) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", response.text)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
