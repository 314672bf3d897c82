"""The one row of the world clock."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Float, SmallInteger
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
