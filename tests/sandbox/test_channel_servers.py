"""The sandbox's LinkedIn and phone: connected once, reacting in their time, and the same after a restart."""

from datetime import timedelta
from pathlib import Path

from cadenza.channels.contracts import Errand, IncomingKind, Outcome
from cadenza.channels.service import accounts, ask_account, incoming_waiting, open_channel
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.http import Egress
from cadenza.core.ids import new_id
from cadenza.sandbox.channel_behaviour import responder
from cadenza.sandbox.channel_people import Deed
from cadenza.sandbox.demo import demo_actor, seed_demo
from cadenza.sandbox.demo_accounts import (
    LINKEDIN_ACCOUNT,
    NUMBER,
    PHONE_ACCOUNT,
    DemoAccounts,
    connect_demo_accounts,
)
from cadenza.sandbox.linkedin_server import LinkedinServer
from cadenza.sandbox.phone_server import PhoneServer
from cadenza.sandbox.world import DEMO, load_world

HERE = Egress(this_machine=True)
WORLD = load_world(DEMO)
SITE = "http://127.0.0.1:9"


def _servers(folder: Path, world: ManualClock) -> tuple[LinkedinServer, PhoneServer]:
    reacting = responder(WORLD)
    return (
        LinkedinServer(folder, world, "a key", [LINKEDIN_ACCOUNT], reacting),
        PhoneServer(folder, world, PHONE_ACCOUNT, "a token", NUMBER, reacting),
    )


async def test_the_demos_accounts_work_and_survive_a_restart(
    database: Database, world: ManualClock, tmp_path: Path
) -> None:
    linkedin, phone = _servers(tmp_path, world)
    ports = [await server.start("127.0.0.1", 0) for server in (linkedin, phone)]
    passwords = dict.fromkeys(("anna.berger@nordwerk.example", "ben.carter@nordwerk.example", "clara.morel@nordwerk.example"), "x")  # fmt: skip
    await seed_demo(database, tmp_path, passwords, (9, 9), WORLD)
    at = DemoAccounts(ports[0], "a key", ports[1], "a token")
    voice = [await connect_demo_accounts(database, at, SITE) for _ in range(2)]
    assert voice[0].startswith(f"{SITE}/hooks/")
    assert voice[0] == voice[1]
    actor = await demo_actor(database)
    assert actor is not None
    async with database.unit(actor.workspace_id) as unit:
        connected = await accounts(unit, actor)
    assert [each.channel for each in connected] == ["linkedin", "phone"]

    channel = await open_channel(database, HERE, actor.workspace_id, connected[0].id)
    for number in range(20):
        errand = Errand(
            touch_id=new_id(), action="connect", recipient=f"https://www.linkedin.com/in/person-{number}", at=world.now()
        )  # fmt: skip
        assert (await channel.send(errand)).outcome is Outcome.ACCEPTED
    await linkedin.react()
    assert not linkedin.store.relations, "nobody looks at it within the minute"
    world.move(timedelta(hours=40))
    await linkedin.react()
    accepted = set(linkedin.store.relations)
    assert 0 < len(accepted) < 20
    await linkedin.stop()
    await phone.stop()

    again, other = _servers(tmp_path, world)
    assert set(again.store.relations) == accepted
    await again.react()
    assert set(again.store.relations) == accepted, "what has happened does not happen again"
    assert await again.start("127.0.0.1", ports[0]) == ports[0]
    await ask_account(database, HERE, actor.workspace_id, connected[0].id)
    async with database.unit(actor.workspace_id) as unit:
        told = [each for _, _, each in await incoming_waiting(unit)]
    assert {each.person for each in told if each.kind is IncomingKind.ACCEPTED} == accepted
    assert not other.store.calls
    await again.stop()


def test_the_same_deed_has_the_same_reactions(world: ManualClock) -> None:
    react = responder(WORLD)
    deeds = [
        Deed(number=n, kind=kind, account="a", person=f"person-{n}", text="", at=world.now())
        for n in range(200)
        for kind in ("visit", "connect", "message", "call")
    ]
    first, second = [react(deed) for deed in deeds], [responder(WORLD)(deed) for deed in deeds]
    assert first == second
    assert {each.kind for found in first for each in found} == {"accept", "seen", "like", "message", "talk", "no_answer", "machine", "voicemail"}  # fmt: skip
    assert all(each.at > world.now() for found in first for each in found)
