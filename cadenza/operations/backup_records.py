"""What is known of backups inside the database: for the page Health and for ``doctor``."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from cadenza.core.database import Database
from cadenza.operations.backups import Made, Verified
from cadenza.operations.models import BackupRow

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class KnownBackup:
    name: str
    place: str
    created_at: datetime
    bytes: int
    rows: int
    verified_at: datetime | None


async def note_made(database: Database, made: Made) -> None:
    values = {
        "place": str(made.folder.parent),
        "created_at": datetime.fromisoformat(made.manifest.created_at),
        "bytes": made.bytes,
        "rows": made.manifest.rows,
        "seconds": made.seconds,
    }
    async with database.installation() as session:
        await session.execute(
            insert(BackupRow)
            .values(name=made.folder.name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )


async def note_verified(database: Database, verified: Verified) -> None:
    async with database.installation() as session:
        await session.execute(
            update(BackupRow)
            .where(BackupRow.name == verified.folder.name)
            .values(verified_at=database.machine.now(), verify_seconds=verified.seconds)
        )


async def known_backups(database: Database) -> list[KnownBackup]:
    """Newest first."""
    async with database.installation() as session:
        rows = await session.scalars(select(BackupRow).order_by(BackupRow.created_at.desc()).limit(_SHOWN))
        return [
            KnownBackup(row.name, row.place, row.created_at, row.bytes, row.rows, row.verified_at)
            for row in rows
        ]
