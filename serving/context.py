"""What the endpoints of one process share."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from features.ledger.store import Ledger
from features.settings import Settings
from serving.assessments.service import Assessor
from serving.cases.sweeper import Sweeper
from serving.correspondence import Correspondence
from serving.drift import DriftMetrics
from serving.hooks.sender import Sender
from serving.keys.service import KeyGuard
from serving.model.holder import ModelHolder
from serving.overview.kept import KeptFigures
from serving.policy.simulator import Simulator
from serving.policy.source import PolicySource
from serving.sealing import Sealer
from serving.settings import ServingSettings
from serving.shadow.scorer import ShadowScorer
from serving.shops.connections import ShopGuard
from serving.staff.oidc import Provider
from serving.writer import GroupWriter


@dataclass(slots=True)
class Context:
    """Made when the service starts, let go of when it stops."""

    settings: Settings
    serving: ServingSettings
    ledger: Ledger
    keys: KeyGuard
    writer: GroupWriter
    models: ModelHolder
    policies: PolicySource
    simulator: Simulator
    assessor: Assessor
    shadow: ShadowScorer
    drift: DriftMetrics
    sealer: Sealer
    shops: ShopGuard
    hooks: Sender
    overview: KeptFigures
    sweeper: Sweeper
    correspondence: Correspondence
    provider: Provider | None  # OpenID Connect


def context_of(request: Request) -> Context:
    """The context of the process that answers the request."""
    context: Context = request.app.state.context
    return context
