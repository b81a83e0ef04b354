"""The application: endpoints, errors, and what lives as long as the process."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from features.ledger.store import Ledger
from features.settings import Settings, get_settings
from serving import openapi
from serving.assessments import endpoints as assessments
from serving.assessments.answer import Answerer
from serving.assessments.features import FeatureReader
from serving.assessments.service import Assessor
from serving.body import refusal
from serving.cases.checklist import default_checklist
from serving.cases.sweeper import Sweeper
from serving.console.app import PATH as CONSOLE
from serving.console.app import create_console
from serving.context import Context
from serving.correspondence import Correspondence
from serving.disputes import endpoints as disputes
from serving.drift import DriftMetrics
from serving.edge import Edge
from serving.events import endpoints as events
from serving.health import endpoints as health
from serving.hooks.sender import Sender
from serving.keys.service import KeyGuard
from serving.model.holder import ModelHolder
from serving.notices import endpoints as notices
from serving.overview.kept import KeptFigures
from serving.policy.simulator import Simulator
from serving.policy.source import PolicySource
from serving.problems import Invalid, MethodNotAllowed, NotFound, Problem
from serving.reasons.catalogue import default_catalogue
from serving.reasons.explain import Explainer
from serving.sealing import Sealer
from serving.settings import ServingSettings
from serving.shadow.scorer import ShadowScorer
from serving.shops import endpoints as shops
from serving.shops.connections import ShopGuard
from serving.staff.oidc import Provider
from serving.writer import GroupWriter

_SWITCH_S: Final = 0.0005
#: An assessment makes thousands of objects and hardly any cycles: Python's own first threshold (700) would look for
#: some several times in each.
_GC_THRESHOLDS: Final = (50_000, 20, 50)
_TAGS: Final = [
    {"name": "events", "description": "What happens at the retailer."},
    {"name": "assessments", "description": "How likely, why, and what to do."},
    {"name": "shops", "description": "Webhooks of connected shops."},
    {"name": "disputes", "description": "A customer does not agree."},
    {"name": "notices", "description": "What customers are told."},
    {"name": "operations", "description": "For those who run the service."},
]


def create_app(settings: Settings | None = None, serving: ServingSettings | None = None) -> FastAPI:
    """The application of one process; opens the ledger and finds the model when it starts."""
    settings = settings or get_settings()
    serving = serving or ServingSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = await asyncio.to_thread(_open, settings, serving)
        context.writer.start()
        context.shadow.start()
        context.hooks.start()
        context.sweeper.start()
        context.correspondence.start()
        app.state.context = context
        _settle_down()
        try:
            yield
        finally:
            await context.simulator.stop()
            await context.correspondence.stop()
            await context.sweeper.stop()
            await context.hooks.stop()
            await context.writer.stop()
            await asyncio.to_thread(context.shadow.stop)
            context.models.stop()
            context.ledger.close()

    app = FastAPI(
        title="Returnwise",
        version=_version(),
        openapi_tags=_TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect names the service's own address, which a proxy may hide, and is no problem
    )
    for router in (events.router, assessments.router, disputes.router, notices.router, shops.router, health.router):
        app.include_router(router)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(Edge)
    openapi.install(app)
    app.mount(CONSOLE, create_console(app.state))
    app.add_route(CONSOLE, _to_console, include_in_schema=False)
    return app


def _open(settings: Settings, serving: ServingSettings) -> Context:
    ledger = Ledger.open(settings)
    models = ModelHolder(settings, poll_seconds=serving.model_poll_seconds, start_seconds=serving.model_start_seconds)
    policies = PolicySource()
    default_checklist()  # one that cannot be read stops the start, and not somebody who works on a case
    answerer = Answerer(Explainer(default_catalogue()), ledger.hasher)
    assessor = Assessor(models, FeatureReader(settings), policies, answerer, ledger.hasher)
    with ledger.read() as conn:
        assessor.warm(conn)
    models.start()
    writer = GroupWriter(ledger, taken_back=assessor.forget)
    sealer = Sealer(ledger.hasher)
    return Context(
        settings=settings,
        serving=serving,
        ledger=ledger,
        keys=KeyGuard(ledger),
        writer=writer,
        models=models,
        policies=policies,
        simulator=Simulator(settings, writer),
        assessor=assessor,
        shadow=ShadowScorer(
            ledger, models.challenger, most_waiting=serving.shadow_waiting, gather_seconds=serving.shadow_seconds
        ),
        drift=DriftMetrics(settings.home),
        sealer=sealer,
        shops=ShopGuard(ledger, sealer),
        overview=KeptFigures(ledger, keep_seconds=serving.overview_seconds),
        sweeper=Sweeper(ledger, writer),
        correspondence=Correspondence(ledger, writer, models),
        hooks=Sender(
            ledger,
            writer,
            sealer,
            inside=serving.webhook_private_addresses,
            poll_seconds=serving.webhook_poll_seconds,
            keep_days=serving.webhook_keep_days,
        ),
        provider=Provider(serving) if serving.oidc_issuer else None,
    )


def _settle_down() -> None:
    """Keep what was loaded at the start out of garbage collection, which would stop all requests for a good while each
    time it walks through it, and let the other threads hold them up only briefly."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_S)


async def _to_console(request: Request) -> Response:
    """The address without its last slash."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{CONSOLE}/")


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return refusal(error)


async def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own errors: an unknown address, a method that an address does not have."""
    assert isinstance(error, HTTPException)
    headers: Mapping[str, str] = error.headers or {}
    if error.status_code == 404:
        problem: Problem = NotFound("There is nothing at this address; `/openapi.json` lists what there is.")
    elif error.status_code == 405:
        problem = MethodNotAllowed(f"{request.method} is not possible here.", headers=headers)
    else:
        problem = Invalid(str(error.detail), headers=headers)
    return problem.response()


def _version() -> str:
    try:
        return version("returnwise")
    except PackageNotFoundError:
        return "0"
