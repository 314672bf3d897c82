"""``cadenza backup``: make, prove and bring back encrypted backups."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cadenza.core.command import echo_json, json_option, run_async

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KEY = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def backup() -> None:
    """Make, prove and bring back encrypted backups."""


@backup.command()
@click.option("--keep", type=click.IntRange(min=1), help="Remove all but so many of the newest.")
@json_option
@run_async
async def create(*, keep: int | None, as_json: bool) -> int:
    """Back up the database and its keys as they are now. The first time, the recovery key is shown: keep it elsewhere."""
    from cadenza.core.settings import settings  # noqa: PLC0415 - `--help` stays quick
    from cadenza.operations import backup_work  # noqa: PLC0415

    made = await backup_work.create(settings(), keep)
    if made.recovery_key:
        words = "This recovery key opens every backup of this installation. Without it they are lost; keep it elsewhere:"
        click.echo(f"{words}\n{made.recovery_key}", err=True)
    _show(
        {
            "backup": str(made.folder),
            "created_at": made.manifest.created_at,
            "rows": made.manifest.rows,
            "bytes": made.bytes,
            "seconds": round(made.seconds, 2),
        },
        as_json=as_json,
    )
    return 0


@backup.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--key", type=_KEY, help="File with the recovery key, if it is not this installation's.")
@json_option
@run_async
async def verify(*, folder: Path | None, key: Path | None, as_json: bool) -> int:
    """Restore a backup (the newest) into a scratch database and compare every table."""
    from cadenza.core.settings import settings  # noqa: PLC0415
    from cadenza.operations import backup_work  # noqa: PLC0415

    verified = await backup_work.verify(settings(), folder, key)
    _show(
        {
            "backup": str(verified.folder),
            "equal": True,
            "tables": len(verified.manifest.tables),
            "rows": verified.manifest.rows,
            "sending_held": True,
            "seconds": round(verified.seconds, 2),
        },
        as_json=as_json,
    )
    return 0


@backup.command()
@click.argument("folder", type=_FOLDER)
@click.option("--key", type=_KEY, help="File with the recovery key; needed on another machine.")
@click.option(
    "--at", type=click.DateTime(), help="A moment since the backup, in UTC; needs the continuous archive."
)
@click.option(
    "--replace", "replace_data", is_flag=True, help="Although there is data; it is kept under another name."
)
@json_option
@run_async
async def restore(
    *, folder: Path, key: Path | None, at: datetime | None, replace_data: bool, as_json: bool
) -> int:
    """Bring a backup back as this installation. Sending is held until the Sent folders were compared."""
    from cadenza.core.settings import settings  # noqa: PLC0415
    from cadenza.operations import backup_work  # noqa: PLC0415

    restored = await backup_work.restore(
        settings(), folder, key, at.replace(tzinfo=UTC) if at else None, replace_data=replace_data
    )
    _show(
        {
            "backup": str(restored.folder),
            "rows": restored.manifest.rows,
            "kept": restored.kept,
            "sending_held": True,
            "seconds": round(restored.seconds, 2),
        },
        as_json=as_json,
    )
    return 0


def _show(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(result)
        return
    for key, value in result.items():
        click.echo(f"{key.replace('_', ' ')}: {value}")
