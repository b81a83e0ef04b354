"""Events: what happens at the retailer, appended to the ledger as it is told."""
