"""Types of the fields of request bodies, with the limits of the table contract.

They read JSON as it comes and give what the ledger takes: trimmed text in NFC, integer microseconds, integer 1/10,000
of the currency.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any, Final, LiteralString

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from features.ledger import vocabulary
from features.ledger.characters import FORBIDDEN_PATTERN

MAX_ID_LENGTH: Final = 200
MAX_QUANTITY: Final = 100_000
MAX_PRICE: Final = 10_000_000
_E4: Final = 10_000

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d(:\d\d(:\d\d([.]\d{1,9})?)?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII)
_UNZONED = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d([.]\d+)?)?)?)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,12}([.]\d{1,12})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def identifier(value: object) -> str:
    """Text of 1 to 200 characters after trimming, without control and invisible characters, in NFC."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if len(value) > 2 * MAX_ID_LENGTH:
        raise ValueError(f"must be at most {MAX_ID_LENGTH} characters")
    if FORBIDDEN_PATTERN.search(value):
        raise ValueError("must not contain control or invisible characters")
    value = value.strip()
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if not value:
        raise ValueError("must not be empty")
    if len(value) > MAX_ID_LENGTH:
        raise ValueError(f"must be at most {MAX_ID_LENGTH} characters")
    return value


def moment(value: object) -> int:
    """Microseconds since 1970 UTC of an ISO 8601 time with a zone; digits past one microsecond are cut off."""
    if not isinstance(value, str):
        raise ValueError("must be text with an ISO 8601 time such as 2026-03-01T12:00:00Z")
    if not _TIME.fullmatch(value):
        if _UNZONED.fullmatch(value):
            raise ValueError("must have a time zone, such as 2026-03-01T12:00:00Z")
        raise ValueError("must be an ISO 8601 time such as 2026-03-01T12:00:00Z")
    try:
        moment_us = (datetime.fromisoformat(value) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise ValueError("must be a time that exists") from None
    if moment_us < 0:
        raise ValueError("must not be before 1970")
    return moment_us


def money_e4(value: object) -> int:
    """1/10,000 of the currency of a number or decimal text between 0 and 10,000,000."""
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError("must be a number or decimal text such as 19.99")
        amount = Decimal(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= MAX_PRICE:  # also refuses NaN
            raise ValueError(f"must be between 0 and {MAX_PRICE}")
        amount = Decimal(repr(value))
    else:
        raise ValueError("must be a number or decimal text such as 19.99")
    if not 0 <= amount <= MAX_PRICE:
        raise ValueError(f"must be between 0 and {MAX_PRICE}")
    return int((amount * _E4).quantize(Decimal(1), ROUND_HALF_EVEN))


def misplaced(detail: LiteralString, *location: str | int) -> ValidationError:
    """For the validator of a whole to raise, where what is wrong stands at `location` within it."""
    error = InitErrorDetails(type=PydanticCustomError("misplaced", detail), loc=location, input=None)
    return ValidationError.from_exception_data("body", [error])


def _upper(length: int, what: str) -> BeforeValidator:
    pattern = re.compile(f"[A-Z]{{{length}}}", re.ASCII)

    def read(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str) or not pattern.fullmatch(value.strip().upper()):
            raise ValueError(f"must be {what}")
        return value.strip().upper()

    return BeforeValidator(read)


def _one_of(words: tuple[str, ...]) -> tuple[BeforeValidator, WithJsonSchema]:
    known = frozenset(words)
    message = f"must be one of {', '.join(words)}"

    def read(value: object) -> object:
        if isinstance(value, str) and value in known:
            return value
        raise ValueError(message)

    return BeforeValidator(read), WithJsonSchema({"type": "string", "enum": list(words)})


def _optional_text(value: object) -> Any:
    """Text as for ids; empty means missing."""
    if value is None or (isinstance(value, str) and not value.strip() and not FORBIDDEN_PATTERN.search(value)):
        return None
    return identifier(value)


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation")
_MONEY_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": MAX_PRICE},
            {"type": "string", "pattern": r"^[+]?\d{1,12}([.]\d{1,12})?$"},
        ]
    },
    mode="validation",
)

Identifier = Annotated[
    str, BeforeValidator(identifier), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH})
]
OptionalText = Annotated[
    str | None,
    BeforeValidator(_optional_text),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": MAX_ID_LENGTH}, {"type": "null"}]}),
]
Moment = Annotated[int, BeforeValidator(moment), _TIME_SCHEMA]
OptionalMoment = Annotated[
    int | None,
    BeforeValidator(lambda value: None if value is None else moment(value)),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]
Money = Annotated[int, BeforeValidator(money_e4), _MONEY_SCHEMA]
Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
Country = Annotated[
    str | None, _upper(2, "an ISO 3166-1 alpha-2 country such as DE"), Field(json_schema_extra={"examples": ["DE"]})
]
Currency = Annotated[
    str | None, _upper(3, "an ISO 4217 currency such as EUR"), Field(json_schema_extra={"examples": ["EUR"]})
]

Channel = Annotated[str, *_one_of(vocabulary.CHANNELS)]
Proof = Annotated[str, *_one_of(vocabulary.PROOFS)]
Reason = Annotated[str, *_one_of(vocabulary.REASONS)]
Kind = Annotated[str, *_one_of(vocabulary.KINDS)]
Resolution = Annotated[str, *_one_of(vocabulary.RESOLUTIONS)]
Tender = Annotated[str, *_one_of(vocabulary.TENDERS)]
Finding = Annotated[str, *_one_of(vocabulary.FINDINGS)]
Trigger = Annotated[str, *_one_of(vocabulary.TRIGGERS)]
Verdict = Annotated[str, *_one_of(vocabulary.VERDICTS)]
Basis = Annotated[str, *_one_of(vocabulary.BASES)]
AbuseType = Annotated[str, *_one_of(vocabulary.ABUSE_TYPES)]
