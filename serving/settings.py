"""How the service behaves; like the other settings, each field is an environment variable `RETURNWISE_<FIELD>`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServingSettings(BaseSettings):
    """Limits and rhythms of the HTTP service."""

    model_config = SettingsConfigDict(env_prefix="RETURNWISE_", env_ignore_empty=True, extra="ignore")

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
    metrics_open: bool = Field(
        default=True, description="Whether `/metrics` answers without a key; if not, it needs the scope `metrics:read`."
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
