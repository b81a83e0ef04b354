"""Groups of commands, for `pipelines.cli`."""
