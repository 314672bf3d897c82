"""Every setting of an installation, in one place, checked when a process starts.

Each is an environment variable with the prefix ``CADENZA_``; ``docs/settings.md`` is made from here.
"""

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cadenza.core.errors import CadenzaError


def _default_home() -> Path:
    if data := os.environ.get("XDG_DATA_HOME"):
        return Path(data) / "cadenza"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/cadenza")
    return Path.home() / ".local" / "share" / "cadenza"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CADENZA_", frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=_default_home, description="Folder of all data: database, keys, sandbox."
    )
    database_url: str | None = Field(
        default=None,
        description="A PostgreSQL 15+ to use instead of the embedded one, as postgresql://user:password@host/name. "
        "Several hosts follow a failover.",
    )
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(
        default=8321, ge=0, le=65535, description="Port the web server listens on; 0 takes a free one."
    )
    public_url: str | None = Field(
        default=None,
        description="Address under which recipients reach this installation, for unsubscribing and tracking; "
        "without it, unsubscribing works by mail.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important log lines that are written to standard error."
    )
    database_pool: int = Field(
        default=10, ge=2, le=200, description="Database connections each process may hold."
    )
    secret_key: str | None = Field(
        default=None,
        description="Key for stored secrets, 32 bytes in URL-safe base64. Without it one is made in the home folder.",
    )
    sandbox: bool = Field(
        default=False,
        description="Set by `cadenza up --sandbox`: demo routes exist and world time may run faster.",
    )
    dispatch_batch: int = Field(default=500, ge=1, le=1000, description="Touches claimed in one transaction.")
    dispatch_connections: int = Field(
        default=4, ge=1, le=32, description="SMTP connections per mailbox and worker."
    )
    lease_seconds: int = Field(
        default=120, ge=5, le=3600, description="How long a claimed touch belongs to a worker."
    )
    session_idle_minutes: int = Field(
        default=12 * 60, ge=5, description="A session ends after this long without use."
    )
    session_days: int = Field(
        default=14, ge=1, le=90, description="A session ends after this long in any case."
    )

    api_requests_per_minute: int = Field(
        default=600,
        ge=1,
        le=100_000,
        description="Requests that one member may make through the API in a minute.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("must start with https:// (http:// only for this machine)")
        return value.rstrip("/") if value else None


@cache
def settings() -> Settings:
    """The settings of this process. Raises ``CadenzaError`` naming each wrong variable."""
    try:
        return Settings()
    except ValidationError as wrong:
        names = "; ".join(
            f"CADENZA_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in wrong.errors()
        )
        raise CadenzaError(
            "settings_invalid",
            f"Settings are wrong: {names}.",
            fix="Correct these environment variables.",
        ) from wrong
