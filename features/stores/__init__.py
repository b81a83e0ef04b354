"""Feast stores on top of the ledger: nothing is materialised, so nothing can be stale.

`online` computes the values of a request as of its moment from the few orders that it touches; `offline` computes the
same values for whole frames of requests. Both are ordinary Feast store classes, named in `feature_store.yaml`.
"""
