"""How long a customer may dispute: what notices promise and disputes keep."""

from __future__ import annotations

from typing import Final

#: So many days after the latest notice about a case it can be disputed over the API; later a lead may open it by hand.
DISPUTE_DAYS: Final = 60
