"""Words that judge or blame a person, in the languages of the product.

Texts tell what was found about a return, never what somebody is. Catalogues of words are refused when they are read if
they break this, and a test reads every text of the repository.
"""

from __future__ import annotations

import re
from typing import Final

#: English words for a person who is thought ill of. Of a return one says abusive, of a check what it found.
_ENGLISH: Final = (
    r"(?<![a-z])(?:"
    r"fraudsters?|criminals?|guilt|guilty|suspects?|suspected|suspicious|liars?|lying|thief|thieves|crooks?|culprits?|"
    r"offenders?|perpetrators?|cheats?|cheaters?|scammers?|abusers?|dishonest|dishonesty|swindlers?|delinquents?|shady"
    r")(?![a-z])"
)
#: Dutch ones. Dutch joins words, so most are sought inside them too (`winkeldief`, `retourfraude`).
_DUTCH: Final = (
    r"fraude(?!d)|frauduleu|bedrog|bedrieg|dief(?!t)|dieve[nr]|diefstal|(?<!ver)schuldig|"
    r"verdacht|verdenk|achterdocht|leugen|(?<![a-z])lieg(?:t|en|ende)?(?![a-z])|misdaad|misdadig|crimineel|criminele|"
    r"oplicht(?:er|ing|en|te)|zwendel|misbruiker|valsspel|(?<![a-z])daders?(?![a-z])|boeven?(?![a-z])|"
    r"oneerlijk|kwaadwillig|kwade trouw|sjoemel"
)
_JUDGING: Final = re.compile(f"{_ENGLISH}|{_DUTCH}", re.IGNORECASE)
#: What a text for a reader must not say of a deed either.
_BLAMING: Final = re.compile(
    r"\b(?:blam(?:e|es|ed|ing)|lie[sd]?|steal(?:s|ing)?|stole|stolen|theft|fake[ds]?|fraud\w*|accus\w*|trick(?:s|ed|ery|ing)?|"
    r"deceiv\w*|deceit\w*|scam(?:s|med)?)\b|"
    r"gestolen|(?<![a-z])(?:stelen|steelt)(?![a-z])|(?<![a-z])vals(?:e|heid)?(?![a-z])|beschuldig|verwijt|betrapt",
    re.IGNORECASE,
)


def judging_words(text: str) -> list[str]:
    """The words of a text that judge a person, also inside snake_case and camelCase names.

    >>> judging_words("a known fraudster"), judging_words("abuse_confirmed"), judging_words("een winkeldief")
    (['fraudster'], [], ['dief'])
    """
    return [found[0] for found in _JUDGING.finditer(_apart(text))]


def blaming_words(text: str) -> list[str]:
    """Those, and what a text for customers or staff must not say of what somebody did.

    >>> blaming_words("the goods were stolen"), blaming_words("goods without a known sale")
    (['stolen'], [])
    """
    return judging_words(text) + [found[0] for found in _BLAMING.finditer(text)]


def _apart(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
