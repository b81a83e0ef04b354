"""What the service answers when it cannot do what was asked: RFC 9457 problem details.

ReturnwiseError
+-- Problem                        carries status, title and the fields that are wrong
    +-- MalformedBody        400   not JSON
    +-- Unauthorized         401   no key, or none that is valid
    +-- BadSignature         401   not signed by whom it should come from
    +-- Forbidden            403   the key lacks the scope
    +-- NotFound             404
    +-- MethodNotAllowed     405
    +-- Conflict             409   known with other content
    +-- BodyTooLarge         413
    +-- UnsupportedMedia     415
    +-- Invalid              422   a field breaks the contract, or does not fit what the ledger knows
    +-- InternalError        500   a defect; says nothing about itself, the log does
    +-- Unavailable          503   no model, or the ledger cannot be written: try again
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import Response

from features.errors import ReturnwiseError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:returnwise:"
_MOST_ERRORS = 20

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place in the body and what is wrong with it."""

    location: Location
    detail: str

    @property
    def field(self) -> str:
        """The place as one would write it in code.

        >>> FieldError(("events", 3, "lines", 0, "quantity"), "").field
        'events[3].lines[0].quantity'
        """
        text = ""
        for part in self.location:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer in a URI fragment.

        >>> FieldError(("events", 3, "type"), "").pointer
        '#/events/3/type'
        """
        parts = (str(part).replace("~", "~0").replace("/", "~1") for part in self.location)
        return "#" + "".join(f"/{part}" for part in parts)


class Problem(ReturnwiseError):
    """A request that is answered with a problem document."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def document(self, *prefix: str | int) -> dict[str, Any]:
        """The problem as the members of RFC 9457, with `errors` naming the fields of a body that stands at `prefix`."""
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.message,
        }
        if self.errors:
            placed = [FieldError((*prefix, *e.location), e.detail) for e in self.errors[:_MOST_ERRORS]]
            document["errors"] = [{"field": e.field, "pointer": e.pointer, "detail": e.detail} for e in placed]
        return document

    def response(self) -> Response:
        """The HTTP response."""
        return Response(orjson.dumps(self.document()), self.status, self.headers, MEDIA_TYPE)


class MalformedBody(Problem):
    """The body is not JSON, or not JSON that can be read."""

    status = 400
    slug = "malformed-json"
    title = "The body is not valid JSON"


class Unauthorized(Problem):
    """No API key, or one that is not (or no longer) valid."""

    status = 401
    slug = "unauthorized"
    title = "A valid API key is needed"


class BadSignature(Problem):
    """The message is not signed by a connected shop."""

    status = 401
    slug = "bad-signature"
    title = "The signature is not valid"


class Forbidden(Problem):
    """The key lacks the scope."""

    status = 403
    slug = "forbidden"
    title = "The API key does not allow this"


class NotFound(Problem):
    """There is nothing at this address."""

    status = 404
    slug = "not-found"
    title = "Not found"


class MethodNotAllowed(Problem):
    """The address exists, with other methods."""

    status = 405
    slug = "method-not-allowed"
    title = "Method not allowed"


class Conflict(Problem):
    """What was sent is already known, with other content."""

    status = 409
    slug = "conflict"
    title = "Already known with other content"


class BodyTooLarge(Problem):
    """The body is above the stated size."""

    status = 413
    slug = "body-too-large"
    title = "The body is too large"


class UnsupportedMedia(Problem):
    """The body is not declared as JSON."""

    status = 415
    slug = "unsupported-media-type"
    title = "Unsupported media type"


class Invalid(Problem):
    """A field breaks the contract or does not fit what the ledger knows."""

    status = 422
    slug = "invalid"
    title = "The request cannot be accepted"


class InternalError(Problem):
    """A defect of the service."""

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side; the request had no effect and may be sent again.")


class Unavailable(Problem):
    """Not now; the same request may be sent again."""

    status = 503
    slug = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


ALL: tuple[type[Problem], ...] = (
    MalformedBody,
    Unauthorized,
    BadSignature,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    BodyTooLarge,
    UnsupportedMedia,
    Invalid,
    InternalError,
    Unavailable,
)


def invalid(errors: Sequence[FieldError]) -> Invalid:
    """The problem of one or more fields that are wrong; its detail names the first."""
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Invalid(f"{first.field or 'the body'}: {first.detail}{more}", errors=errors)


def wrong(detail: str, *location: str | int) -> Invalid:
    """The problem of one field that is wrong."""
    return invalid([FieldError(location, detail)])


def clash(detail: str, *location: str | int) -> Conflict:
    """The problem of one field that contradicts what is already known."""
    error = FieldError(location, detail)
    return Conflict(f"{error.field}: {detail}", errors=[error])


def from_validation(error: ValidationError, *, tags: Iterable[str] = ()) -> Problem:
    """The problem that a failed validation of a JSON body stands for.

    `tags` are the names that pydantic puts into locations after the index of an item of a tagged union.
    """
    details = error.errors(include_url=False, include_input=False, include_context=True)
    if details[0]["type"] == "json_invalid":
        return MalformedBody(_sentence(details[0]["msg"]))
    return invalid(field_errors(details, tags=tags))


def field_errors(details: Sequence[ErrorDetails], *, tags: Iterable[str] = ()) -> list[FieldError]:
    """pydantic's errors as ours."""
    known = frozenset(tags)
    return [_field_error(detail, known) for detail in details]


def _field_error(detail: ErrorDetails, tags: frozenset[str]) -> FieldError:
    raw = detail["loc"]
    location = tuple(part for i, part in enumerate(raw) if not (part in tags and i > 0 and isinstance(raw[i - 1], int)))
    kind, context = detail["type"], detail.get("ctx") or {}
    match kind:
        case "missing":
            return FieldError(location, "is required")
        case "union_tag_not_found":
            return FieldError((*location, "type"), "is required")
        case "union_tag_invalid":  # pydantic's text repeats what was sent, whatever it was
            return FieldError((*location, "type"), f"must be one of {context['expected_tags']}")
        case "literal_error":
            return FieldError(location, f"must be {context['expected']}")
        case "value_error":
            return FieldError(location, str(context["error"]))
        case "too_short":
            return FieldError(location, f"needs at least {context['min_length']}")
        case "too_long":
            return FieldError(location, f"has more than {context['max_length']}")
        case "model_type" | "model_attributes_type" | "dict_type":
            return FieldError(location, "must be an object")
        case "list_type":
            return FieldError(location, "must be a list")
        case _:
            return FieldError(location, _sentence(detail["msg"]))


def _sentence(message: str) -> str:
    return message.removeprefix("Invalid JSON: ").replace("Input should be", "must be")
