"""The rule about words, as the tests use it."""

from __future__ import annotations

from serving.texts import judging

#: Other people's names for things.
QUOTED = ("Credit Card Fraud Detection",)


def judging_words(text: str) -> list[str]:
    """The judging words of a text, also inside snake_case and camelCase names."""
    return judging.judging_words(_own(text))


def blaming_words(text: str) -> list[str]:
    """Those, and what a text for customers or staff must not say of what somebody did."""
    return judging.blaming_words(_own(text))


def _own(text: str) -> str:
    for quoted in QUOTED:
        text = text.replace(quoted, "")
    return text
