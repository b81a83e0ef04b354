"""A stretch of the ledger as columns of integers: what the feature kernels compute on.

`few` reads the few orders that one request touches, `whole` the whole ledger. Both give the same structure
(`facts`), so that one set of measures serves the API and the training table.
"""

from features.history.facts import Facts, History
from features.history.few import keys_of_orders, of_keys, of_orders
from features.history.fields import FIELDS, PARTIES, select_from
from features.history.whole import everything, narrow

__all__ = [
    "FIELDS",
    "PARTIES",
    "Facts",
    "History",
    "everything",
    "keys_of_orders",
    "narrow",
    "of_keys",
    "of_orders",
    "select_from",
]
