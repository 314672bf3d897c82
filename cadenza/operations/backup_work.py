"""What the commands of ``cadenza backup`` do, once the installation is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.installation import access, bring_up, open_installation, running_alone
from cadenza.core.settings import Settings
from cadenza.operations import backups
from cadenza.operations.archive import backup_folder
from cadenza.operations.backup_records import note_made, note_verified
from cadenza.operations.backups import Made, Restored, Verified


@contextmanager
def _owner(current: Settings) -> Iterator[str]:
    """The database as its owner. Raises ``owner_url_missing`` for an external one of whom only the log-in is known."""
    with access(current) as found:
        if found.owner is None:
            raise CadenzaError(
                "owner_url_missing",
                "A backup needs the owner of the database.",
                fix="Set CADENZA_DATABASE_OWNER_URL, the same database as its owner.",
            )
        yield found.owner


async def create(current: Settings, keep: int | None) -> Made:
    async with open_installation() as database:
        with _owner(current) as url:
            made = await backups.create(current, url, keep=keep)
        await note_made(database, made)
    return made


async def verify(current: Settings, folder: Path | None, key: Path | None) -> Verified:
    """``folder`` None: the newest."""
    chosen = folder or _newest(current)
    async with open_installation() as database:
        with _owner(current) as url:
            verified = await backups.verify(current, url, chosen, key)
        await note_verified(database, verified)
    return verified


def _newest(current: Settings) -> Path:
    found = backups.folders(current)
    if not found:
        raise CadenzaError(
            "no_backup",
            f"There is no backup in {backup_folder(current)}.",
            Kind.NOT_FOUND,
            fix="Make one by `cadenza backup create`.",
        )
    return found[0]


async def restore(
    current: Settings, folder: Path, key: Path | None, at: datetime | None, *, replace_data: bool
) -> Restored:
    """Then the newest schema and the application's log-in, as at any start."""
    with running_alone(current.home):
        if at is not None:
            return await _restore_moment(current, folder, key, at, replace_data=replace_data)
        with access(current) as found, _owner(current) as url:
            restored = await backups.restore(current, url, folder, key, replace_data=replace_data)
            bring_up(found)
            return restored


async def _restore_moment(
    current: Settings, folder: Path, key: Path | None, at: datetime, *, replace_data: bool
) -> Restored:
    if current.database_url:
        raise CadenzaError(
            "not_our_server",
            "A point in time is restored by whoever runs the database server.",
            fix="Restore it there, then start Cadenza: it notices the new line of history and holds sending.",
        )
    restored = await backups.restore_moment(current, folder, at, key, replace_data=replace_data)
    with access(current) as found:
        bring_up(found)
    return restored
