"""From a retailer's files to the ledger: reading, normalising, checking, appending, and saying what was refused."""
