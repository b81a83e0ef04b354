"""A change that is not made, told in the words of the catalogues."""

from __future__ import annotations

from typing import Any

from features.errors import ReturnwiseError
from serving.texts import texts


class Refused(ReturnwiseError):
    """Something is not made or changed; `key` names the text that says why, `field` the field that it is about."""

    def __init__(self, key: str, field: str = "", **values: Any) -> None:
        super().__init__(texts("en")(key, **values))
        self.key = key
        self.field = field
        self.values = values
