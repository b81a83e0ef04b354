"""Settings, read once from `RETURNWISE_*` variables; everything lives under `home` unless told otherwise."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things live and how the service behaves. Every field is an environment variable `RETURNWISE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="RETURNWISE_", env_ignore_empty=True, extra="ignore")

    home: Path = Field(default=Path("var"), description="Folder of everything that Returnwise writes.")
    database_url: str = Field(
        default="", description="SQLAlchemy URL of ledger and assessments; empty: `ledger.db` in the home."
    )
    mlflow_tracking_uri: str = Field(
        default="", description="MLflow tracking and registry URI; empty: `mlflow.db` in the home."
    )
    hash_key: str = Field(
        default="",
        description="Secret key of the hashes of e-mail, address, payment and device; empty: made once in the home.",
    )

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'ledger.db'}"

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking URI."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home.resolve() / 'mlflow.db'}"


@lru_cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
