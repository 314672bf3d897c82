"""`cadenza contacts`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options
from cadenza.core.errors import CadenzaError

if TYPE_CHECKING:
    from cadenza.audience.contracts import ImportReport

_NOT_PRINTED = frozenset({"contact_ids"})
_SHOWN = 20


@click.group()
def contacts() -> None:
    """Import people and companies."""


@contacts.command(name="import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="What a column holds; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@workspace_options
@json_option
@run_async
async def import_(
    *,
    files: Sequence[Path],
    mapping: Sequence[str],
    dry_run: bool,
    workspace: str | None,
    as_email: str | None,
    as_json: bool,
) -> int:
    """Import each CSV FILE; every row that is refused is named with its line and the reason.

    Fields: email first_name last_name full_name title company phone_e164 linkedin_url website country language
    timezone industry custom.NAME ignore. Columns without --map are guessed by their names.
    """
    wanted = _wanted(mapping)
    if dry_run and not _installed():
        click.echo("There is no installation yet: compared with nothing stored.", err=True)
        reports = [_alone(file, wanted, as_json=as_json) for file in files]
    else:
        reports = await _with_database(files, wanted, (workspace, as_email), dry_run=dry_run, as_json=as_json)
    return int(not all(reports))


def _wanted(mapping: Sequence[str]) -> dict[str, str]:
    wanted = {}
    for pair in mapping:
        column, equals, field = pair.rpartition("=")
        if not equals or not column or not field:
            raise click.BadParameter(f"{pair!r} is not COLUMN=FIELD.", param_hint="--map")
        wanted[column] = field
    return wanted


def _installed() -> bool:
    from cadenza.core.settings import settings  # noqa: PLC0415 - `--help` stays quick

    current = settings()
    return current.database_url is not None or (current.home / "database").exists()


def _alone(file: Path, wanted: dict[str, str], *, as_json: bool) -> bool:
    from cadenza.audience.service import dry_run_alone, read_contacts_file  # noqa: PLC0415

    try:
        report = dry_run_alone(read_contacts_file(file), file=str(file), mapping=wanted)
    except CadenzaError as wrong:
        return _refused(file, wrong, as_json=as_json)
    return _said(report, as_json=as_json)


async def _with_database(
    files: Sequence[Path],
    wanted: dict[str, str],
    who: tuple[str | None, str | None],
    *,
    dry_run: bool,
    as_json: bool,
) -> list[bool]:
    from cadenza.identity.service import command_line  # noqa: PLC0415

    async with command_line(*who) as (database, actor):
        return [await _one(database, actor, file, wanted, dry_run=dry_run, as_json=as_json) for file in files]


async def _one(
    database: Any, actor: Any, file: Path, wanted: dict[str, str], *, dry_run: bool, as_json: bool
) -> bool:
    from cadenza.audience.service import import_contacts, read_contacts_file  # noqa: PLC0415

    try:
        data = read_contacts_file(file)
        async with database.unit(actor.workspace_id) as unit:
            report = await import_contacts(unit, actor, data, file=str(file), mapping=wanted, dry_run=dry_run)
    except CadenzaError as wrong:
        return _refused(file, wrong, as_json=as_json)
    return _said(report, as_json=as_json)


def _refused(file: Path, wrong: CadenzaError, *, as_json: bool) -> bool:
    if as_json:
        echo_json({"file": str(file), "error": {"code": wrong.code, "message": str(wrong)}})
    click.echo(f"{file}: {wrong}", err=True)
    return False


def _said(report: "ImportReport", *, as_json: bool) -> bool:
    """Print a report; whether every row was taken."""
    if as_json:
        echo_json({key: value for key, value in asdict(report).items() if key not in _NOT_PRINTED})
    else:
        _say(report)
    return not report.rejected


def _say(report: "ImportReport") -> None:
    done = "would be imported" if report.dry_run else "imported"
    click.echo(
        f"{report.file}: {report.rows} rows, {report.created} new and {report.updated} known {done}, "
        f"{report.duplicates} repeated, {len(report.rejected)} rejected"
    )
    for fault in (*report.rejected, *report.warnings)[:_SHOWN]:
        click.echo(f"  line {fault['line']}, {fault['column'] or 'row'}: {fault['reason']}")
    if (more := len(report.rejected) + len(report.warnings) - _SHOWN) > 0:
        click.echo(f"  and {more} more; --json shows all")
