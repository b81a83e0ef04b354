"""The written policy: what to do about a return, given its risk, its value and the law."""
