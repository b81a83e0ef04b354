"""What the model sees: signals made of the declared values and of the request itself.

Each `add` in this package is the whole declaration of one input of the model: its name, the family whose reason speaks
for it, the direction in which it can only raise (+1) or lower (-1) the risk (0: not in doubt either way), and how it is
computed. The functions use nothing but `+ - * /` and comparisons, so that a Python float (online) and a numpy column
(offline) give the same bits.

Rates of small histories are pulled to what would be expected: (count + weight * expected rate) / (total + weight).
"""

from features.signals import customer, request, surroundings
from features.signals.language import FAMILIES, MODEL_FEATURES, ModelFeature

__all__ = ["FAMILIES", "MODEL_FEATURES", "ModelFeature", "customer", "request", "surroundings"]
