"""What stops an ingest as a whole; single rows are rejected instead (see `rejects`)."""

from __future__ import annotations

from features.errors import ReturnwiseError


class IngestError(ReturnwiseError):
    """The input cannot be ingested at all. The message is one line, names the file and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
