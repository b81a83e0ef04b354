"""`returnwise score`: returns from a file, each assessed as of its own moment with the champion.

`reading` takes the file apart into returns and refused rows, `fitting` holds the returns against the ledger, `run`
assesses those that are left and writes them.
"""

from pipelines.score.errors import ScoreError
from pipelines.score.run import ScoreReport, score
from pipelines.score.writing import COLUMNS

__all__ = ["COLUMNS", "ScoreError", "ScoreReport", "score"]
