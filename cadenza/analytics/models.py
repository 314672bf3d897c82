from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Base, Row


class CountRow(Row):
    """A part of a count: the sum of all rows of one key is the figure. Added by the trigger on events, never changed.

    Each statement adds rows of its own, so that no two transactions wait for each other; they are folded later.
    """

    __tablename__ = "event_counts"
    __table_args__ = (
        Index(None, "workspace_id", "campaign_id"),
        Index("ix_event_counts_loose", "workspace_id", postgresql_where="not folded"),
    )

    campaign_id: Mapped[UUID] = mapped_column(Uuid)
    step: Mapped[str] = mapped_column(String(64))  # "" where the event names none, as the variant
    variant: Mapped[str] = mapped_column(String(64))
    measure: Mapped[str] = mapped_column(String(30))
    machine: Mapped[bool] = mapped_column(Boolean)
    things: Mapped[int] = mapped_column(BigInteger)
    folded: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class CountedRow(Base):
    """What was counted already, where something may happen again: a mail opened nine times is opened once."""

    __tablename__ = "counted_things"

    workspace_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    thing_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)  # a touch, a person or else the event
    measure: Mapped[str] = mapped_column(String(30), primary_key=True)
    machine: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    step: Mapped[str] = mapped_column(String(64), primary_key=True)
    variant: Mapped[str] = mapped_column(String(64), primary_key=True)
