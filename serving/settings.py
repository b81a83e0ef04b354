"""How the service behaves; like the other settings, each field is an environment variable `RETURNWISE_<FIELD>`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.staff.permissions import Role


class ServingSettings(BaseSettings):
    """Limits and rhythms of the HTTP service."""

    model_config = SettingsConfigDict(
        env_prefix="RETURNWISE_", env_ignore_empty=True, extra="ignore", validate_default=True
    )

    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Largest request body in bytes; above: 413.")
    max_events: int = Field(default=1_000, ge=1, description="Most events in one call of `POST /v1/events`.")
    max_batch: int = Field(
        default=100, ge=1, description="Most assessments in one call of `POST /v1/assessments/batch`."
    )
    model_poll_seconds: float = Field(
        default=3.0, gt=0, description="How often to ask the registry for champion and challenger."
    )
    model_start_seconds: float = Field(
        default=20.0, ge=0, description="How long a start waits for the registry before it takes the model it has kept."
    )
    shadow_waiting: int = Field(
        default=2_000,
        ge=1,
        description="Most assessments that wait to be scored by a challenger; beyond them they are left out.",
    )
    shadow_seconds: float = Field(
        default=5.0, ge=0, description="How long assessments gather before a challenger scores them together."
    )
    checklist_file: Path | None = Field(
        default=None, description="A checklist of one's own in place of `serving/cases/checklist.toml`."
    )
    metrics_open: bool = Field(
        default=True, description="Whether `/metrics` answers without a key; if not, it needs the scope `metrics:read`."
    )
    overview_seconds: float = Field(
        default=60.0,
        ge=0,
        description="How long the figures of the console's overview are kept before they are counted anew.",
    )
    webhook_private_addresses: bool = Field(
        default=False,
        description="Whether webhooks may go to private addresses, and to this machine without TLS.",
    )
    webhook_poll_seconds: float = Field(
        default=1.0, gt=0, description="How often to look for webhooks that are to be sent."
    )
    webhook_keep_days: int = Field(
        default=30, ge=4, description="How many days sent and unsent webhooks are kept for people to see."
    )
    public_url: str = Field(
        default="",
        description="Address under which people reach the service, such as `https://returns.example.com`; empty: as "
        "they ask for it. Needed behind a proxy that changes the host, for links and for OpenID Connect.",
    )
    time_zone: str = Field(default="UTC", description="Time zone of the console, such as `Europe/Amsterdam`.")
    session_idle_minutes: int = Field(
        default=60, ge=1, description="A member of staff who does nothing for so long is signed out."
    )
    session_hours: int = Field(default=12, ge=1, description="How long a session lasts at most.")
    passwords: bool = Field(default=True, description="Whether staff may sign in with a password.")
    oidc_issuer: str = Field(
        default="", description="Issuer of an OpenID Connect provider that staff may sign in through; empty: none."
    )
    oidc_client_id: str = Field(default="", description="The name that the provider knows this service by.")
    oidc_client_secret: str = Field(default="", description="The secret that the provider knows this service by.")
    oidc_name: str = Field(default="single sign-on", description="What the page for signing in calls the provider.")
    oidc_scope: str = Field(default="openid profile email", description="What the provider is asked for.")
    oidc_role_claim: str = Field(
        default="groups", description="The claim that tells the role, such as `groups` or `realm_access.roles`."
    )
    oidc_roles: dict[str, Role] = Field(
        default={}, description="Roles by what the claim holds, as JSON; of several the first in this order counts."
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe(cls, issuer: str) -> str:
        """Over plain HTTP anybody on the way could be whoever they like."""
        inside = urlsplit(issuer).hostname in ("localhost", "127.0.0.1", "::1")
        if issuer and not issuer.startswith("https://") and not (inside and issuer.startswith("http://")):
            raise ValueError("must be an https address")
        return issuer

    @field_validator("oidc_roles")
    @classmethod
    def _is_complete(cls, roles: dict[str, Role], info: ValidationInfo) -> dict[str, Role]:
        """A provider without the rest would let nobody in, and no provider and no passwords would neither."""
        known = info.data
        if known.get("oidc_issuer"):
            if not (known.get("oidc_client_id") and known.get("oidc_client_secret")):
                raise ValueError("with an issuer, set RETURNWISE_OIDC_CLIENT_ID and RETURNWISE_OIDC_CLIENT_SECRET, too")
            if not roles:
                raise ValueError('with an issuer, say who has which role: {"returns-leads": "lead"}')
        elif known.get("passwords") is False:
            raise ValueError("without passwords, staff need a provider: set RETURNWISE_OIDC_ISSUER")
        return roles
