"""Flows that move data between the other packages, and the command line."""
