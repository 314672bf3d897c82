"""A workspace of a large team after half a year, made in bulk: people, campaigns, a million events, conversations."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from cadenza.app.benchmarks.population_sql import PAST, PEOPLE, TEAM, WHERE, WORK
from cadenza.app.benchmarks.scratch import KEYS, NOON, PASSWORD
from cadenza.campaigns.service import apply
from cadenza.channels.contracts import Server
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.clock import MachineClock, ManualClock
from cadenza.core.crypto import new_token, token_hash
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.identity.service import create_workspace
from cadenza.ledger.service import make_event_partitions
from cadenza.understanding.contracts import Reply
from cadenza.understanding.service import analyze

CAMPAIGNS, LAUNCHED, RUNNING = 200, 160, 50  # the first ones; 110 are paused or finished, 40 are drafts
_LISTS = 40  # each campaign writes to one list; each person is on one
SENDERS = 40
_ROLES = ("rep", "rep", "rep", "manager")
_DOCUMENT = """
version: 1
name: {name}
audience: {{contacts: list{file}.csv}}
senders: {{mailboxes: [{mailboxes}]}}
tracking: {{opens: true, clicks: true}}
window: {{days: mon-sun, from: "00:00", to: "23:59", zone: recipient, holidays: none}}
caps: {{per_person_per_week: 7, per_account_per_day: 1000, per_sender_per_day: 2000}}
steps:
  - id: intro
    channel: email
    action: send
    after: {{days: 0}}
    variants:
      - id: a
        subject: "A question about {{{{ account.name | default: 'your plant' }}}}"
        text: &text |
          Hello {{{{ contact.first_name | default: "there" }}}},

          we help teams such as yours to plan their shifts in minutes instead of days. Most of them had a
          spreadsheet before, one person who understood it, and a night of work when that person was ill.

          Would a short call next week be worth your time?

          {{{{ sender.name }}}}
      - id: b
        subject: "Shift plans at {{{{ account.name | default: 'your plant' }}}}"
        text: *text
  - id: follow
    channel: email
    action: send
    after: {{days: 3}}
    thread: {{reply_to: intro}}
    variants: [{{id: a, text: "Was this of interest, {{{{ contact.first_name | default: 'dear reader' }}}}?"}}]
"""
_REPLY = (
    "Hello,\n\nthank you, this is of interest to us. What does it cost for 40 people, and how long does it take to connect?\n\n"
    "Best regards"
)


@dataclass(frozen=True, slots=True)
class Population:
    """Where the visitors go. ``tokens`` are of open sessions, one a member."""

    actor: Actor
    tokens: tuple[str, ...]
    leaders: tuple[str, ...]  # those of managers
    campaigns: tuple[str, ...]  # running ones, by name
    contacts: tuple[UUID, ...]
    conversations: tuple[UUID, ...]
    touches: tuple[UUID, ...]
    rows: dict[str, int]


async def populate(
    url: str, owner_url: str, post: tuple[Server, Server], people: int, members: int
) -> Population:
    """Everything is committed; sessions are open; of each running campaign somebody is due every few seconds."""
    database = Database(url, secrets=KEYS, machine=MachineClock(), world=ManualClock(NOON))
    workspace, _ = await create_workspace(
        database, "Bench", owner_email="bench@bench.example", owner_name="Bench", password=PASSWORD
    )
    actor = Actor(workspace.id, Role.OWNER, Origin.COMMAND_LINE, name="bench")
    try:
        await _senders(database, actor, post)
        await _partitions(database, actor)
        await _campaigns(database, actor)
    finally:
        await database.close()
    tokens = tuple(new_token() for _ in range(members))
    with psycopg.connect(owner_url, autocommit=True) as connection:
        _run(connection, TEAM, actor, members=members, tokens=_sessions(tokens))
        for statement in (*PEOPLE, *PAST, *WORK):
            _run(connection, statement, actor, people=people)
        connection.execute("vacuum analyze")
        return _where(connection, actor, tokens)


async def _senders(database: Database, actor: Actor, post: tuple[Server, Server]) -> None:
    async with database.unit(actor.workspace_id) as unit:
        for address in sender_names():
            new = NewMailbox(address=address, smtp=post[0], imap=post[1], user=address, daily_limit=2000)
            await add_mailbox(unit, actor, new, PASSWORD)


def sender_names() -> list[str]:
    return [f"sender@out{n}.example" for n in range(SENDERS)]


async def _partitions(database: Database, actor: Actor) -> None:
    async with database.unit(actor.workspace_id) as unit:
        await make_event_partitions(unit, NOON - timedelta(days=200), 9)


async def _campaigns(database: Database, actor: Actor) -> None:
    for number in range(CAMPAIGNS):
        async with database.unit(actor.workspace_id) as unit:
            source = _DOCUMENT.format(
                name=f"campaign-{number:03}", file=number % _LISTS, mailboxes=", ".join(sender_names())
            )
            if errors := (await apply(unit, actor, source)).errors:
                raise CadenzaError("bench_campaign", f"The benchmark's campaign is refused: {errors}")


def _sessions(tokens: tuple[str, ...]) -> str:
    return json.dumps([token_hash(token).hex() for token in tokens])


def _run(connection: psycopg.Connection[Any], statement: str, actor: Actor, **values: Any) -> None:
    given = {
        "workspace": actor.workspace_id,
        "noon": NOON,
        "lists": _LISTS,
        "running": RUNNING,
        "launched": LAUNCHED,
        "text": _REPLY,
        "analysis": json.dumps(analyze(Reply(id="1", raw_body=_REPLY)).to_dict()),
        "roles": list(_ROLES),
    }
    connection.execute(statement.encode(), given | values)


def _where(connection: psycopg.Connection[Any], actor: Actor, tokens: tuple[str, ...]) -> Population:
    def ids(name: str) -> tuple[Any, ...]:
        found = connection.execute(WHERE[name], {"workspace": actor.workspace_id})
        return tuple(row[0] for row in found)

    tables = (
        "contacts",
        "events",
        "enrolments",
        "touches",
        "conversations",
        "messages",
        "work_items",
        "sessions",
    )
    rows = {each: connection.execute(f"select count(*) from {each}").fetchone()[0] for each in tables}  # type: ignore[index]  # noqa: S608
    # Members are numbered from 1, and the fourth of each four roles falls on 3, 7, 11, ...
    return Population(
        actor,
        tokens,
        tokens[2::4],
        ids("campaigns"),
        ids("contacts"),
        ids("conversations"),
        ids("touches"),
        rows,
    )
