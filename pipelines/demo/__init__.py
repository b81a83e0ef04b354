"""`returnwise demo`: a simulated shop from its tables to a running service, in a home of its own."""

from pipelines.demo.asking import curl, example
from pipelines.demo.progress import Progress
from pipelines.demo.run import new_key, prepare, run, serve

__all__ = ["Progress", "curl", "example", "new_key", "prepare", "run", "serve"]
