"""Forms and filters of senders and pools: what is wrong is told beside its field, what was typed stays, nothing changes."""

import html
import re
from typing import Any

import httpx
import pytest

from cadenza.campaigns.service import apply
from cadenza.channels.contracts import Mailbox, MailboxState, Server, Tls
from cadenza.channels.service import (
    NewMailbox,
    add_mailbox,
    fill_pool,
    mailbox,
    mailboxes,
    make_pool,
    pools,
    set_state,
)
from cadenza.core.database import Database
from tests.support.campaigns import document
from tests.web.seed import Seeded
from tests.web.test_pages import settings, visitor

__all__ = ["settings", "visitor"]

GOOD: dict[str, Any] = {
    "name": "Nora", "daily_limit": "50", "aliases": "", "signature": "Nora", "signature_html": "", "owner": "", "any_time": "on",
    "from": "09:00", "to": "17:00", "zone": "Europe/Berlin", "start": "10", "growth": "5", "target": "60",
}  # fmt: skip
HOURS = {"any_time": None, "days": ["1", "2"]}
WARM = {"warm_up": "on"}
LISTED = "{mailboxes: [anna@north.example, ben@south.example]}"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "  "}, "name"),
    ({"name": "A\nB"}, "name"),
    ({"daily_limit": "0"}, "daily_limit"),
    ({"daily_limit": "-5"}, "daily_limit"),
    ({"daily_limit": "many"}, "daily_limit"),
    ({"daily_limit": "999999"}, "daily_limit"),
    ({"aliases": "not-an-address"}, "aliases"),
    ({"signature": "x" * 5001}, "signature"),
    ({"signature_html": "<script>x()</script>"}, "signature_html"),
    ({"owner": "somebody"}, "owner"),
    ({"owner": "00000000-0000-0000-0000-000000000001"}, "owner"),
    (HOURS | {"days": []}, "hours.days"),
    (HOURS | {"to": "08:00"}, "hours.to"),
    (HOURS | {"from": "9 o'clock"}, "hours.from"),
    (HOURS | {"zone": "Mars/Olympus"}, "hours.zone"),
    (WARM | {"start": "0"}, "start"),
    (WARM | {"growth": "x"}, "growth"),
    (WARM | {"start": "70"}, "target"),
]


def _form(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (GOOD | changes).items() if value is not None}


async def _box(database: Database, seeded: Seeded) -> Mailbox:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return await mailbox(unit, seeded.mailbox)


@pytest.mark.asvs("2.2.1")
async def test_a_setting_that_cannot_be_is_told_beside_its_field_and_nothing_is_changed(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    before = await _box(database, seeded)
    for changes, field in WRONG:
        form = _form(**({"name": "Typed just now"} | changes))
        answer = await visitor.post(f"/senders/{seeded.mailbox}/settings", data=form)
        assert answer.status_code == 422, changes
        assert f'id="fault-{field}"' in answer.text, changes
        marked = re.search(
            rf'<(?:input|textarea|select)[^>]* aria-describedby="fault-{re.escape(field)}"', answer.text
        )
        assert marked, changes
        assert "nothing was changed" in answer.text, changes
        assert "name" in changes or 'name="name" value="Typed just now"' in answer.text, changes
    assert await _box(database, seeded) == before


async def test_an_hour_needs_no_zero_and_zones_are_suggested(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    page = (await visitor.get(f"/senders/{seeded.mailbox}")).text
    assert re.search(r'id="zone"[^>]* list="zones"', page)
    assert '<option value="Europe/Lisbon">' in page
    form = _form(**(HOURS | {"from": "8:00"}))
    assert (await visitor.post(f"/senders/{seeded.mailbox}/settings", data=form)).status_code == 303
    hours = (await _box(database, seeded)).hours
    assert hours is not None
    assert f"{hours.start:%H:%M}" == "08:00"


async def test_an_alias_is_no_other_mailbox_s_address(
    database: Database, visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        server = Server("127.0.0.1", 9, Tls.NONE)
        other = NewMailbox(address="other@halden.example", smtp=server, imap=server, user="other")
        await add_mailbox(unit, seeded.actor, other, "x")
    form = _form(aliases="Other@halden.example")
    answer = await visitor.post(f"/senders/{seeded.mailbox}/settings", data=form)
    assert answer.status_code == 422
    assert "other@halden.example is another mailbox&#39;s own address." in answer.text
    assert (await _box(database, seeded)).aliases == ()
    own = _form(aliases="info@halden.example")
    assert (await visitor.post(f"/senders/{seeded.mailbox}/settings", data=own)).status_code == 303


async def test_all_faults_are_told_at_once(visitor: httpx.AsyncClient, seeded: Seeded) -> None:
    wrong = _form(name="", daily_limit="0", zone="Mars/Olympus", any_time=None, days=["1"])
    answer = await visitor.post(f"/senders/{seeded.mailbox}/settings", data=wrong)
    found = set(re.findall(r'id="fault-([\w.]+)"', answer.text))
    assert found == {"name", "daily_limit", "hours.zone"}


async def test_a_fault_is_told_in_the_reader_s_language(visitor: httpx.AsyncClient, seeded: Seeded) -> None:
    wrong = _form(signature_html="<p>Nora")
    german = {"accept-language": "de"}
    answer = await visitor.post(f"/senders/{seeded.mailbox}/settings", data=wrong, headers=german)
    assert answer.status_code == 422
    assert "&lt;p&gt; wird nicht geschlossen." in answer.text


async def test_handing_over_to_nobody_is_refused_with_what_to_do(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    here = f"/senders/{seeded.mailbox}/hand-over"
    for to, status in (("", 422), ("nobody", 422), (str(seeded.mailbox), 422), (str(seeded.pool), 404)):
        answer = await visitor.post(here, data={"to": to})
        assert answer.status_code == status, to
        assert status == 404 or "nothing was changed" in answer.text


async def _pools(database: Database, seeded: Seeded) -> list[Any]:
    async with database.unit(seeded.actor.workspace_id) as unit:
        return await pools(unit)


async def test_a_pool_that_cannot_be_is_refused_and_nothing_is_changed(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        await make_pool(unit, seeded.actor, "South team")
    before = await _pools(database, seeded)
    for name in ("", "x" * 101, "a\0b", "North team"):
        answer = await visitor.post("/senders/pools", data={"name": name})
        assert answer.status_code == (409 if name == "North team" else 422), name
        assert "nothing was changed" in answer.text
    here = f"/senders/pools/{seeded.pool}"
    unknown = "00000000-0000-0000-0000-000000000001"
    for form, status in (
        ({"name": "South team", "members": []}, 409),
        ({"name": " ", "members": []}, 422),
        ({"name": "Renamed", "members": [unknown]}, 404),
        ({"name": "Renamed", "members": ["no id"]}, 422),
    ):
        assert (await visitor.post(here, data=form)).status_code == status, form
    assert await _pools(database, seeded) == before


async def test_a_pool_that_a_campaign_needs_is_kept_and_says_by_whom(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    source = document(name="uses a pool").replace(LISTED, "{pool: North team}")
    async with database.unit(seeded.actor.workspace_id) as unit:
        assert (await apply(unit, seeded.actor, source)).errors == ()
    answer = await visitor.post(f"/senders/pools/{seeded.pool}/remove", data={})
    assert answer.status_code == 409
    assert "uses a pool" in answer.text
    assert "Give those campaigns other senders first." in answer.text
    assert len(await _pools(database, seeded)) == 1


async def test_filters_stand_in_the_address_and_in_the_form(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    async with database.unit(seeded.actor.workspace_id) as unit:
        others = [box for box in await mailboxes(unit) if box.id != seeded.mailbox]
        await set_state(unit, others[0].id, MailboxState.PAUSED, "paused by a test")
        south = await make_pool(unit, seeded.actor, "South team")
        await fill_pool(unit, seeded.actor, south.id, [others[0].id])
    nora, other = (await _box(database, seeded)).address, others[0].address
    for query, found in (
        ("", {nora, other}),
        ("state=paused", {other}),
        ("pool=North+team", {nora}),
        ("pool=South+team&state=paused", {other}),
        ("pool=North+team&state=paused", set()),
        ("mine=1", {nora}),
        (f"q={other[:4].upper()}", {other}),
        ("state=no-such-state", set()),
    ):
        page = (await visitor.get(f"/senders?{query}")).text
        shown = set(re.findall(r"data-row>([^<]+)</a>", page))
        assert shown & {nora, other} == found, query
        assert found or "No mailbox fits these filters." in page
    page = (await visitor.get("/senders?state=paused&pool=South+team&mine=1&q=a")).text
    assert re.search(r'<option value="paused" selected>', page)
    assert "<option selected>South team" in page
    assert re.search(r'name="mine" value="1" checked', page)
    assert 'name="q" value="a"' in page


async def test_the_editor_tells_of_missing_senders_as_the_command_does(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    for number, (senders, words) in enumerate(
        [
            ("{pool: nobody}", "There is no pool 'nobody'."),
            ("{pool: Empty team}", "The pool Empty team is empty."),
            ("{mailboxes: [gone@north.example]}", "There is no sender gone@north.example."),
        ]
    ):
        source = document(name=f"warned {number}").replace(LISTED, senders)
        async with database.unit(seeded.actor.workspace_id) as unit:
            if number == 1:
                await make_pool(unit, seeded.actor, "Empty team")
            (warning,) = (await apply(unit, seeded.actor, source)).warnings
        assert warning["message"].startswith(words)
        address = f"/campaigns/warned%20{number}/edit"
        assert warning["message"] in html.unescape((await visitor.get(address)).text)
        german = await visitor.get(address, headers={"accept-language": "de"})
        assert "Vor dem Start" in german.text
        assert warning["message"] not in html.unescape(german.text)
