"""A simulated shop: the tables of a retailer's history, with the truth that a real retailer never sees beside them."""
