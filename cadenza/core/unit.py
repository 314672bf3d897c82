"""The unit of work that every service function is given."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cadenza.core.clock import Clock
from cadenza.core.crypto import SecretBox


@dataclass(frozen=True, slots=True)
class Unit:
    """One open transaction in one workspace, with both clocks. Who opened it commits it."""

    session: AsyncSession
    workspace_id: UUID
    world: Clock
    machine: Clock
    secrets: SecretBox
