"""Names shared by Feast, the model and the API: the versioned feature service and the order of its vector."""

from __future__ import annotations

from typing import Final

from features import declarations, request, signals
from features.kernel.one import NAMES as EXACT_NAMES
from features.signals import ModelFeature

SERVICE: Final = "returnwise_v1"
SIGNALS_VIEW: Final = "return_signals"
REQUEST_SOURCE: Final = "return_request"

MODEL_FEATURES: Final[tuple[ModelFeature, ...]] = tuple(signals.MODEL_FEATURES)

POOLED_NAMES: Final = tuple(name for entity in declarations.POOLED for name in entity.feature_names())

#: Values about the past as declared, before signals are made of them.
RAW_NAMES: Final = (*EXACT_NAMES, *POOLED_NAMES)

_KNOWN = frozenset(RAW_NAMES) | frozenset(request.FIELD_NAMES)

#: Signals that are not merely a raw value or a request value by its own name.
DERIVED: Final = tuple(feature for feature in MODEL_FEATURES if feature.name not in _KNOWN)

#: Everything that is stored with an assessment, in this order.
VECTOR: Final = (*RAW_NAMES, *request.FIELD_NAMES, *(feature.name for feature in DERIVED))
