"""The rule about words: which ones judge a person."""

from __future__ import annotations

import re

#: Words that judge a person rather than tell what was found. Of a return one says abusive, of a check what it found.
JUDGING = re.compile(
    r"(?<![a-z])("
    r"fraudsters?|criminals?|guilt|guilty|suspects?|suspected|suspicious|liars?|lying|thief|thieves|crooks?|culprits?|"
    r"offenders?|perpetrators?|cheats?|cheaters?|scammers?|abusers?|dishonest|dishonesty|swindlers?|delinquents?|shady"
    r")(?![a-z])",
    re.IGNORECASE,
)
#: Other people's names for things.
QUOTED = ("Credit Card Fraud Detection",)


def judging_words(text: str) -> list[str]:
    """The judging words of a text, also inside snake_case and camelCase names."""
    for quoted in QUOTED:
        text = text.replace(quoted, "")
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [found[0] for found in JUDGING.finditer(apart)]
