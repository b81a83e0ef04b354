"""Exact values of the declared measures at a moment: `one` for a single request, `many` for a whole training table.

Both count a fact at moment t in a window of length W exactly if it was recorded before t and occurred at or after
t - W. `one` looks at every fact of a small history; `many` sorts once and reads running sums. Everything is integer
arithmetic, so they agree to the last unit; `tests/features/kernel` holds them to it.
"""
