"""The HTTP API, its reasons and its decisions."""
