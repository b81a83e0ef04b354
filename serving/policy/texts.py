"""What the customer reads, in the language of the country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.policy.terms import Fee


@dataclass(frozen=True)
class Texts:
    """The texts of one language, by what they are about."""

    notices: Mapping[str, str]
    conditions: Mapping[str, str]
    offers: Mapping[str, str]
    fees: Mapping[str, str]


@dataclass(frozen=True)
class Languages:
    """Texts by language, and the language by country."""

    default: str
    countries: Mapping[str, str]
    texts: Mapping[str, Texts]

    def of(self, country: str | None) -> str:
        """The language of a country, the default one where there is none for it."""
        return self.default if country is None else self.countries.get(country, self.default)


def conditions_told(texts: Texts, codes: tuple[str, ...]) -> list[dict[str, str]]:
    """Conditions by code and in words."""
    return [{"code": code, "text": texts.conditions[code]} for code in codes]


def fee_told(texts: Texts, fee: Fee, currency: str) -> list[dict[str, Any]]:
    """What is taken off the refund, by kind, as an amount and in words."""
    said = []
    for kind, minor in (("postage", fee.postage), ("restocking", fee.restocking)):
        if minor:
            amount = f"{minor / 100:.2f}"
            text = texts.fees[kind].format(amount=amount, currency=currency)
            said.append({"kind": kind, "amount": amount, "currency": currency, "text": text})
    return said
