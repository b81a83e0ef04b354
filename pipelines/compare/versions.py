"""The two versions, by their aliases."""

from __future__ import annotations

from features.errors import ReturnwiseError
from serving.model.loaded import LoadedModel, UnfitModelError
from serving.model.registry import Registered, Registry
from serving.shadow.model import VectorModel
from training.table import parse_until


class CompareError(ReturnwiseError):
    """There is nothing to compare; the message says what is missing."""


def challenger_of(registry: Registry) -> Registered:
    """The version under the alias.

    Raises:
        RegistryError: the registry does not answer.
        CompareError: there is no challenger.
    """
    found = registry.challenger()
    if found is None:
        raise CompareError("there is no challenger: `returnwise challenge VERSION` names one")
    return found


def load(registry: Registry, found: Registered) -> VectorModel:
    """A version, for stored vectors.

    Raises:
        ReturnwiseError: it cannot be had or used.
    """
    try:
        return VectorModel(found.version, registry.fetch(found))
    except UnfitModelError as error:
        raise CompareError(f"version {found.version} cannot be used: {error.message}") from error


def unfit_cause(registry: Registry, found: Registered) -> str | None:
    """Why the service would refuse a version as champion, if it would: to answer takes more than to be compared."""
    try:
        LoadedModel(found.version, registry.fetch(found))
    except UnfitModelError as error:
        return error.message
    return None


def learned_until(model: VectorModel) -> int:
    """The moment (microseconds) up to which a version may have learned from returns and their labels; 0: not known."""
    return parse_until(model.model.card.trained_until) or 0
