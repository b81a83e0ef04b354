"""The ledger: the append-only record of orders, deliveries, returns, inspections and verdicts."""
