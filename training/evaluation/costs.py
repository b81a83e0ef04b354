"""What a check costs and what it saves: the simple model behind "expected cost saved".

A check costs staff time, whoever asked for the return. If it finds abuse, the loss that would have been paid out is
avoided; if it finds nothing, an honest shopper was kept waiting, which costs goodwill. A check is worth making where
the expected loss outweighs both:

    risk * value * loss  >  check + (1 - risk) * friction
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """Assumptions, in the currency of the orders. Set them to what a check costs where the model is used.

    Attributes:
        check: staff time and handling of one check.
        loss: share of the goods' value that is lost when an abusive return is paid out.
        friction: what it costs to keep an honest shopper waiting.
    """

    check: float = 5.0
    loss: float = 0.6
    friction: float = 3.0

    def worth_checking(self, risk: Floats, value: Floats) -> npt.NDArray[np.bool_]:
        """Which returns a check is expected to pay for. risk (n,) probabilities, value (n,) of the goods -> (n,).

        >>> Costs(5.0, 0.5, 3.0).worth_checking(np.array([0.1, 0.1]), np.array([100.0, 200.0])).tolist()
        [False, True]
        """
        return np.asarray(risk * value * self.loss > self.check + (1 - risk) * self.friction, dtype=np.bool_)

    def saved(self, y: Floats, value: Floats) -> Floats:
        """What a check of each return saves once it is known what it finds; negative if nothing. (n,) -> (n,).

        >>> Costs(5.0, 0.5, 3.0).saved(np.array([1.0, 0.0]), np.array([100.0, 100.0])).tolist()
        [45.0, -8.0]
        """
        return np.asarray(y * value * self.loss - self.check - (1 - y) * self.friction, dtype=np.float64)
