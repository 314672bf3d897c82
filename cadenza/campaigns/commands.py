"""`cadenza campaigns apply` and `show`; the engine adds them to its group of commands."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options
from cadenza.core.errors import CadenzaError

if TYPE_CHECKING:
    from cadenza.campaigns.contracts import Applied

_SHOWN = 20


@click.group()
def campaigns() -> None:
    """Apply campaign files."""


@campaigns.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE.yaml...", type=click.Path(path_type=Path))
@workspace_options
@json_option
@run_async
async def apply(*, files: Sequence[Path], workspace: str | None, as_email: str | None, as_json: bool) -> int:
    """Make each FILE the campaign of its name; a running one gets a new version.

    Everything is checked first: a file with a problem changes nothing. Contacts files beside it are imported; rows
    that were rejected are named, and the exit code is 1.
    """
    from cadenza.identity.service import command_line  # noqa: PLC0415 - `--help` stays quick

    failed = False
    async with command_line(workspace, as_email) as (database, actor):
        for file in files:
            failed |= not await _apply_one(database, actor, file, as_json=as_json)
    return int(failed)


@campaigns.command()
@click.argument("campaign")
@click.option(
    "--version", "number", type=click.IntRange(1, 2**31 - 1), help="Not the version in force but this one."
)
@workspace_options
@run_async
async def show(*, campaign: str, number: int | None, workspace: str | None, as_email: str | None) -> int:
    """Write CAMPAIGN as a file to standard output; applying that changes nothing."""
    from cadenza.campaigns import service  # noqa: PLC0415 - `--help` stays quick
    from cadenza.identity.service import command_line  # noqa: PLC0415

    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        found = await service.campaign(unit, actor, campaign)
        definition = await service.numbered(unit, actor, found.id, number)
    click.echo(service.document_text(definition), nl=False)
    return 0


async def _apply_one(database: Any, actor: Any, file: Path, *, as_json: bool) -> bool:
    from cadenza.campaigns.service import apply as door  # noqa: PLC0415

    try:
        source = _read(file)
        async with database.unit(actor.workspace_id) as unit:
            applied = await door(unit, actor, source, file.parent)
    except CadenzaError as wrong:
        if as_json:
            echo_json({"file": str(file), "error": {"code": wrong.code, "message": str(wrong)}})
        click.echo(f"{file}: {wrong}", err=True)
        return False
    if as_json:
        echo_json({"file": str(file), **asdict(applied)})
    else:
        _say(file, applied)
    return not applied.errors and not applied.rejected


def _read(file: Path) -> str:
    from cadenza.campaigns.yaml_tree import MAX_BYTES  # noqa: PLC0415

    try:
        data = file.read_bytes() if file.stat().st_size <= MAX_BYTES else None
    except OSError as wrong:
        why = wrong.strerror or "no reason was given"
        raise CadenzaError(
            "file_unreadable", f"It cannot be read: {why}.", fix="Check the file's name and rights."
        ) from wrong
    if data is None:
        raise CadenzaError(
            "file_too_large",
            f"{file.name} is larger than {MAX_BYTES // 1024} kB.",
            fix="Move texts into files.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise CadenzaError(
            "file_not_text", f"{file.name} line {line} is no UTF-8 text.", fix="Save it as UTF-8."
        ) from wrong


def _say(file: Path, applied: "Applied") -> None:
    if applied.errors:
        click.echo(f"{file}: {len(applied.errors)} to correct; nothing was changed.", err=True)
        for error in applied.errors:
            place = f"line {error['line']}, " if error["line"] else ""
            click.echo(f"  {place}{error['key'] or 'file'}: {error['message']}", err=True)
        return
    state = "created" if applied.created else "changed" if applied.changes else "unchanged"
    click.echo(f"{applied.campaign}: {state}, version {applied.version}")
    for change in applied.changes:
        click.echo(f"  {change}")
    for fault in applied.rejected[:_SHOWN]:
        click.echo(f"  row {fault['row']}, line {fault['line']}: {fault['reason']}", err=True)
    if (more := len(applied.rejected) - _SHOWN) > 0:
        click.echo(f"  and {more} more rows; --json shows all", err=True)
    for warning in applied.warnings:
        place = f"line {warning['line']}, " if warning["line"] else ""
        click.echo(f"  before the launch: {place}{warning['key']}: {warning['message']}", err=True)
