from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, Integer, LargeBinary, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from cadenza.core.database import Row


class ApiAnswerRow(Row):
    """What a change through the API answered, kept for a day so that the same request again gets the same answer."""

    __tablename__ = "api_answers"
    __table_args__ = (
        UniqueConstraint("workspace_id", "owner", "key"),
        Index(None, "workspace_id", "created_at"),
    )

    owner: Mapped[UUID] = mapped_column(Uuid)  # the member
    key: Mapped[str] = mapped_column(String(255))  # as the caller chose it
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the request
    status: Mapped[int] = mapped_column(Integer, default=0)
    answer: Mapped[str] = mapped_column(  # it may hold what is shown once only
        Text, default="", info={"sealed": "api_answers/{id}/answer"}
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApiPaceRow(Row):
    """How many requests a member made through the API in a minute; one row a member and minute."""

    __tablename__ = "api_pace"
    __table_args__ = (UniqueConstraint("workspace_id", "owner", "minute"),)

    owner: Mapped[UUID] = mapped_column(Uuid)
    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    requests: Mapped[int] = mapped_column(Integer)
