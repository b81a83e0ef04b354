"""Shops: their webhooks, taken in as events of the ledger."""
