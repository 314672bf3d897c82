"""Every setting of an installation, in one place, checked when a process starts.

Each is an environment variable with the prefix ``CADENZA_``; ``docs/settings.md`` is made from here.
"""

import os
import re
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cadenza.core.addresses import read_networks, read_public_url
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
    database_owner_url: str | None = Field(
        default=None,
        description="The same database as its owner, for migrations and backups only; the application then connects by "
        "CADENZA_DATABASE_URL as a role that owns nothing. The embedded server needs neither.",
    )
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(
        default=8321, ge=0, le=65535, description="Port the web server listens on; 0 takes a free one."
    )
    public_url: str | None = Field(
        default=None,
        description="Address under which people and recipients reach this installation, as https://cadenza.example.com; "
        "`cadenza up` needs it. In the sandbox, without it, unsubscribing works by mail.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks, between commas, of the proxies in front of the web server. From them alone "
        "X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    tls_certificate: Path | None = Field(
        default=None,
        description="PEM file with the certificate and its chain, to serve https without a proxy in front.",
    )
    tls_key: Path | None = Field(default=None, description="PEM file (PKCS #8) with the certificate's key.")
    mail_server: str | None = Field(
        default=None,
        description="Server for letters to members (forgotten passwords, invitations), as HOST:PORT. Campaigns never use it.",
    )
    mail_tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="How that server is spoken to; none is for this machine only."
    )
    mail_user: str | None = Field(
        default=None, description="User name at that server, where it asks for one."
    )
    mail_password: str | None = Field(default=None, repr=False, description="The password to it.")
    mail_from: str | None = Field(
        default=None, description="Address that letters to members come from, such as cadenza@example.com."
    )
    backup_folder: Path | None = Field(
        default=None, description="Where `cadenza backup` keeps its files; without it below the home folder."
    )
    continuous_archive: bool = Field(
        default=False,
        description="Keep every change of the embedded database beside its backups, encrypted, so that `cadenza backup restore "
        "--at` brings back any moment since the oldest kept backup.",
    )
    disk_reserve_mb: int = Field(
        default=500,
        ge=1,
        description="Megabytes that stay free: below, nothing new is sent or imported until there is room again.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important log lines that are written to standard error."
    )
    web_processes: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="How many web processes `cadenza up` starts on this machine; without it one for each core, at most eight.",
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

    google_client_id: str = Field(
        default="",
        description="Client id of the application that you registered with Google, so that mailboxes there can be connected; "
        "see docs/connecting-mailboxes.md.",
    )
    google_client_secret: str = Field(default="", repr=False, description="Its client secret.")
    google_issuer: str = Field(
        default="https://accounts.google.com",
        description="Where Google describes itself; another address is for tests.",
    )
    microsoft_client_id: str = Field(
        default="", description="The same for Microsoft 365 and Outlook.com: the application (client) id."
    )
    microsoft_client_secret: str = Field(default="", repr=False, description="Its client secret.")
    microsoft_issuer: str = Field(
        default="https://login.microsoftonline.com/common/v2.0",
        description="Where Microsoft describes itself; with your tenant's id in place of `common`, only its people are let in.",
    )

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return value or None

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return read_public_url(value) if value else None

    @field_validator("mail_server")
    @classmethod
    def _is_server(cls, value: str | None) -> str | None:
        host, _, port = (value or "").rpartition(":")
        if value and not (host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("must be HOST:PORT")
        return value or None

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value):
            raise ValueError("must be an e-mail address")
        return value or None

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        read_networks(value)
        return value

    @property
    def secure(self) -> bool:
        """Whether the public address is an https one."""
        return bool(self.public_url and self.public_url.startswith("https:"))


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
