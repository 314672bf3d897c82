from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Float, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Base


class SetupLinkRow(Base):
    """The link by which the first owner comes in; at most one. Only the token's hash is stored."""

    __tablename__ = "setup_links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class BackupRow(Base):
    """A backup as it was made, and when it last proved to be whole. The files may lie on another machine."""

    __tablename__ = "backups"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float)
    verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    verify_seconds: Mapped[float | None] = mapped_column(Float)
