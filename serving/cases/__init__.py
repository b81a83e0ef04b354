"""Cases: the few returns that staff look at, from opening to verdict."""
