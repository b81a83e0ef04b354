"""The kinds of shops: one module each. A new one is written here and listed below; the tests in
`tests/serving/shops/test_contract.py` run every check on it."""

from __future__ import annotations

from typing import Final

from serving.shops.adapters.shopify import SHOPIFY
from serving.shops.adapters.woocommerce import WOOCOMMERCE
from serving.shops.reading import Adapter

ADAPTERS: Final[dict[str, Adapter]] = {adapter.kind: adapter for adapter in (SHOPIFY, WOOCOMMERCE)}

__all__ = ["ADAPTERS"]
