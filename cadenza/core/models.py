"""The rows of the installation itself: which one this is, and its world clock."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, DateTime, Float, SmallInteger, String, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Base


class WorldClockRow(Base):
    """World time of the whole installation; see ``core.clock.Anchor``. ``seen_world`` survives a crash."""

    __tablename__ = "world_clock"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1, autoincrement=False)
    machine: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    world: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    speed: Mapped[float] = mapped_column(Float)
    seen_world: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class InstallationRow(Base):
    """One row, made with the schema: what this installation is, where it was last seen, and whether sending is held.

    What it was recognised by (``system``, ``place``, ``timeline``) is compared at each start and every few seconds; data
    that comes up elsewhere or on another line of history holds sending by itself (see ``core.holding``).
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1, autoincrement=False)
    identity: Mapped[UUID] = mapped_column(Uuid)
    mode: Mapped[str | None] = mapped_column(String(10))  # sandbox or production, from the first start on
    system: Mapped[str | None] = mapped_column(String(60))  # server's identifier and database's oid
    place: Mapped[str | None] = mapped_column(Text)  # machine, folder and marker file of the embedded server
    timeline: Mapped[str] = mapped_column(String(8))
    synchronous: Mapped[bool] = mapped_column(Boolean, default=False)  # a standby had every commit
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # machine time of the last look
    held_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    held_reason: Mapped[str | None] = mapped_column(String(20))
    held_from: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True)
    )  # what may be missing begins here
    compared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    compared: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
