"""`cadenza campaigns` and `cadenza touches`."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from cadenza.core.command import echo_json, json_option, run_async, workspace_options


@click.group()
def campaigns() -> None:
    """Apply, launch, pause, resume and stop campaigns, and see how they stand."""


def _lifecycle(name: str, words: str) -> None:
    @campaigns.command(name=name, help=words)
    @click.argument("campaign")
    @workspace_options
    @json_option
    @run_async
    async def command(*, campaign: str, workspace: str | None, as_email: str | None, as_json: bool) -> int:
        from cadenza.engine import lifecycle  # noqa: PLC0415 - `--help` stays quick
        from cadenza.identity.service import command_line  # noqa: PLC0415

        door: Callable[..., Awaitable[Any]] = getattr(lifecycle, name)
        async with (
            command_line(workspace, as_email) as (database, actor),
            database.unit(actor.workspace_id) as unit,
        ):
            status = await door(unit, actor, campaign)
        _show(status, as_json=as_json)
        return 0


def _show(status: Any, *, as_json: bool) -> None:
    if as_json:
        keys = ("campaign", "version", "state", "enrolled", "due", "next_due_at", "counts", "steps")
        whole = asdict(status)
        echo_json({key: whole[key] for key in keys})
        return
    click.echo(f"{status.campaign}, version {status.version}: {status.state.value}")
    click.echo(f"  {status.enrolled} enrolled, {status.due} due now, next at {status.next_due_at or '-'}")
    for metric, number in sorted(status.counts.items()):
        click.echo(f"  {metric.replace('_', ' ')}: {number}")


for _name, _words in {
    "launch": "Enrol everybody of the audience and start.",
    "pause": "Claim nothing more until it is resumed.",
    "resume": "Go on where it was.",
    "stop": "End it for everybody; final.",
    "status": "How it stands.",
}.items():
    _lifecycle(_name, _words)


@campaigns.command()
@workspace_options
@json_option
@run_async
async def recount(*, workspace: str | None, as_email: str | None, as_json: bool) -> int:
    """Count the figures of all campaigns anew from the events. `cadenza doctor` says when that is needed."""
    from cadenza.analytics.service import recount as door  # noqa: PLC0415
    from cadenza.identity.service import command_line  # noqa: PLC0415

    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        wrong = await door(unit, actor)
    if as_json:
        echo_json({"corrected": wrong})
    else:
        click.echo(f"Counted anew; {wrong} counts were wrong.")
    return 0


@click.group()
def touches() -> None:
    """Explain what was sent and plan what will be."""


@touches.command()
@click.argument("touch_id", type=click.UUID)
@workspace_options
@json_option
@run_async
async def explain(*, touch_id: UUID, workspace: str | None, as_email: str | None, as_json: bool) -> int:
    """Why a touch was sent, or not."""
    from cadenza.engine.explain import explain as door  # noqa: PLC0415
    from cadenza.identity.service import command_line  # noqa: PLC0415

    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        found = await door(unit, actor, touch_id)
    answer = _explanation(found)
    if as_json:
        echo_json(answer)
    else:
        click.echo(f"{found.touch.subject} to {found.touch.recipient}: {found.touch.state.value}")
        for gate in answer["gates"]:
            click.echo(f"  {gate['gate']}: {gate['answer']}, {gate['why']}")
        for decision in answer["decisions"]:
            click.echo(f"  {decision['what']}: {decision['taken']}, because {decision['reason']}")
    return 0


def _explanation(found: Any) -> dict[str, Any]:
    touch = found.touch
    return {
        "touch": {
            "id": touch.id, "contact": touch.contact_id, "step": touch.step, "variant": touch.variant,
            "subject": touch.subject, "sender": touch.sender, "recipient": touch.recipient,
            "message_id": touch.message_id, "due_at": touch.due_at, "sent_at": touch.sent_at,
        },
        "state": touch.state.value,
        "gates": [{"gate": g.gate, "answer": g.answer.value, "why": g.why} for g in touch.gates],
        "decisions": [
            {"what": d.what, "options": [asdict(o) for o in d.options], "taken": d.taken, "reason": d.reason,
             "policy": d.policy, "version": d.version}
            for d in found.decisions
        ],
        "wire": touch.wire,
        "events": [{"kind": e.kind.value, "at": e.at, "data": e.data} for e in found.events],
    }  # fmt: skip


@touches.command()
@click.option("--contact", required=True, help="An id or an e-mail address.")
@click.option("--campaign", required=True)
@workspace_options
@json_option
@run_async
async def plan(
    *, contact: str, campaign: str, workspace: str | None, as_email: str | None, as_json: bool
) -> int:
    """What one person would get, when and why."""
    from cadenza.engine.explain import plan as door  # noqa: PLC0415
    from cadenza.identity.service import command_line  # noqa: PLC0415

    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        planned = await door(unit, actor, contact_id=await _contact_id(unit, contact), campaign_name=campaign)
    if as_json:
        echo_json([asdict(p) for p in planned])
    else:
        for step in planned:
            click.echo(f"{step.local_time}  {step.step} ({step.channel}), {step.why}; unless {step.unless}")
        if not planned:
            click.echo(
                "Nothing more: the sequence has ended for this person, or a stop forbids it.", err=True
            )
    return 0


@touches.command(name="list")
@click.option(
    "--contact", help="Of one person: an id or an e-mail address. Without it, every touch in doubt."
)
@workspace_options
@json_option
@run_async
async def list_touches(
    *, contact: str | None, workspace: str | None, as_email: str | None, as_json: bool
) -> int:
    """Touches with their ids, oldest first: what was sent to one person, or what is in doubt."""
    from cadenza.engine.explain import touches_in_doubt, touches_of_contact  # noqa: PLC0415
    from cadenza.identity.contracts import Action  # noqa: PLC0415
    from cadenza.identity.service import authorize, command_line  # noqa: PLC0415

    async with (
        command_line(workspace, as_email) as (database, actor),
        database.unit(actor.workspace_id) as unit,
    ):
        authorize(actor, Action.READ)
        if contact:
            found = await touches_of_contact(unit, await _contact_id(unit, contact))
        else:
            found = await touches_in_doubt(unit, actor)
    if as_json:
        echo_json([_line(touch) for touch in found])
        return 0
    for touch in found:
        at = touch.sent_at or touch.due_at
        click.echo(
            f"{touch.id}  {at:%Y-%m-%d %H:%M}  {touch.state.value}  {touch.step or 'answer'}  {touch.subject}"
        )
    if not found:
        click.echo("Nothing was sent to this person." if contact else "Nothing is in doubt.", err=True)
    return 0


def _line(touch: Any) -> dict[str, Any]:
    return {
        "id": touch.id, "contact": touch.contact_id, "campaign": touch.campaign_id, "step": touch.step,
        "variant": touch.variant, "state": touch.state.value, "subject": touch.subject, "sender": touch.sender,
        "recipient": touch.recipient, "due_at": touch.due_at, "sent_at": touch.sent_at,
    }  # fmt: skip


async def _contact_id(unit: Any, contact: str) -> UUID:
    from cadenza.audience.contracts import Channel  # noqa: PLC0415
    from cadenza.audience.service import find_by_address  # noqa: PLC0415
    from cadenza.core.errors import not_found  # noqa: PLC0415

    try:
        return UUID(contact)
    except ValueError:
        found = await find_by_address(unit, Channel.EMAIL, contact)
        if found is None:
            raise not_found("contact", contact) from None
        return found
