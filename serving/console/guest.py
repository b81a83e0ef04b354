"""One request to the console: who asks, in which language, and how the answer is made."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from serving.audit.trail import Actor
from serving.console.form import Form
from serving.console.navigation import navigation
from serving.console.rendering import rendered
from serving.console.statics import static_path
from serving.context import Context
from serving.staff.accounts import actor_of
from serving.staff.permissions import may
from serving.staff.repository import Person, Session
from serving.texts import Texts, texts

T = TypeVar("T")

_SAID: Final = "returnwise_said"
_MOST_SAID: Final = 1500


@dataclass(slots=True)
class Guest:
    """A request of anybody, signed in or not. Times are microseconds since 1970 UTC."""

    request: Request
    context: Context
    now: int
    language: str
    form: Form = field(default_factory=Form)
    person: Person | None = None
    session: Session | None = None

    @property
    def t(self) -> Texts:
        """The texts in the language of the reader."""
        return texts(self.language)

    @property
    def root(self) -> str:
        """The path at which the console stands."""
        return str(self.request.scope.get("root_path", ""))

    @property
    def is_partial(self) -> bool:
        """Whether htmx asks for a part of a page."""
        headers = self.request.headers
        return "hx-request" in headers and "hx-history-restore-request" not in headers

    @property
    def base_url(self) -> str:
        """Scheme and host under which the reader reaches the service."""
        return self.context.serving.public_url.rstrip("/") or str(self.request.base_url).removesuffix(
            f"{self.root}/"
        ).rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether the reader comes over HTTPS."""
        return self.base_url.startswith("https:")

    def may(self, operation: str) -> bool:
        """Whether the person may do something; nobody may do anything."""
        return self.person is not None and may(self.person.role, operation)

    async def read(self, look: Callable[[Connection], T]) -> T:
        """What `look` reads of the ledger, in a thread."""

        def reading() -> T:
            with self.context.ledger.read() as conn:
                return look(conn)

        return await run_in_threadpool(reading)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, once what it wrote is durable (`GroupWriter.run`: short, no waiting but the database)."""
        return await self.context.writer.run(work)

    def render(self, template: str, /, status: int = 200, **values: Any) -> Response:
        """A page, or a part of one, with values in it."""
        given = self._given()
        html = rendered(self.language, self.context.serving.time_zone, template, given | values)
        response = HTMLResponse(html, status)
        if given["said"] is not None:
            response.delete_cookie(_SAID, path=self.root or "/")
        return response

    def redirect(self, path: str, said: str | None = None, *, is_bad: bool = False, **values: Any) -> Response:
        """Leads on to another page of the console (`path` begins with `/`), which then says the text of a key."""
        if self.is_partial:
            response = Response(status_code=200, headers={"HX-Redirect": self.root + path})
        else:
            response = Response(status_code=303, headers={"Location": self.root + path})
        if said is not None:
            self.say(response, said, is_bad=is_bad, **values)
        return response

    def say(self, response: Response, key: str, *, is_bad: bool = False, **values: Any) -> None:
        """Let the next page say a text; `is_bad`: that something was not done."""
        self.t(key, **values)  # a wrong key or value is a defect here, not on the next page
        content = base64.urlsafe_b64encode(orjson.dumps([key, is_bad, values])).decode()
        if len(content) <= _MOST_SAID:
            response.set_cookie(
                _SAID, content, max_age=60, path=self.root or "/", secure=self.is_secure, httponly=True, samesite="lax"
            )

    def _said(self) -> tuple[str, str] | None:
        if self.is_partial:
            return None
        try:
            key, is_bad, values = orjson.loads(base64.urlsafe_b64decode(self.request.cookies.get(_SAID, "")))
            return self.t(key, **values), "warn" if is_bad else "good"
        except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError, KeyError, IndexError):
            return None

    def _given(self) -> dict[str, Any]:
        person = self.person
        return {
            "visit": self,
            "form": self.form,
            "person": person,
            "may": self.may,
            "language": self.language,
            "theme": person.theme if person is not None else None,
            "shortcuts": person is None or person.shortcuts,
            "form_key": self.session.form_key if self.session is not None else "",
            "navigation": navigation(person.role, self.request) if person is not None else (),
            "said": self._said(),
            "now": self.now,
            "url": lambda path: self.root + path,
            "static": lambda name: self.root + static_path(name),
        }


@dataclass(slots=True)
class Visit(Guest):
    """A request of a person who is signed in and may do the operation of the page."""

    operation: str = ""

    @property
    def who(self) -> Person:
        """The person."""
        assert self.person is not None
        return self.person

    @property
    def actor(self) -> Actor:
        """The person, for the audit trail and for services."""
        return actor_of(self.who)
