"""`returnwise policy simulate`: what another policy would have done to last year's returns."""

from pipelines.policy.run import PolicyRunError, SimulateReport, simulate

__all__ = ["PolicyRunError", "SimulateReport", "simulate"]
