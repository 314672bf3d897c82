"""Campaigns are applied as a whole or not at all, and every version stays what it was."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from cadenza.audience.service import contacts_of_file, import_contacts
from cadenza.campaigns import repository
from cadenza.campaigns.contracts import Campaign, CampaignState, ConditionFacts
from cadenza.campaigns.document import read_document
from cadenza.campaigns.models import CampaignRow, CampaignVersionRow
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.service import (
    _MOVES,
    apply,
    by_id,
    campaign,
    campaigns,
    compiled,
    evaluate,
    follow,
    preview,
    set_state,
    version,
)
from cadenza.channels.contracts import Server, Tls
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.errors import CadenzaError
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import timeline
from tests.campaigns.examples import GOOD, changed

NAME = "dach-manufacturing-q2"


@pytest.fixture
def path(folder: Folder) -> Path:
    assert folder.path
    return folder.path


async def versions(unit: Unit) -> int:
    query = (
        select(func.count())
        .select_from(CampaignVersionRow)
        .where(CampaignVersionRow.workspace_id == unit.workspace_id)
    )
    return await unit.session.scalar(query) or 0


async def test_a_first_file_makes_a_draft_and_brings_its_people(unit: Unit, owner: Actor, path: Path) -> None:
    applied = await apply(unit, owner, GOOD, path)
    assert (applied.campaign, applied.version, applied.created, applied.errors) == (NAME, 1, True, ())
    assert applied.changes == ("new campaign with 3 steps", "people.csv: 1 contacts imported, 0 updated")
    found = await campaign(unit, owner, NAME)
    assert (found.state, found.version, found.folder) == (CampaignState.DRAFT, 1, str(path))
    assert len(await contacts_of_file(unit, found.definition.contacts_file)) == 1
    assert await by_id(unit, found.id) == found
    assert await campaigns(unit, owner) == [found]
    assert await version(unit, found.version_id) == found.definition
    assert [e.kind for e in await timeline(unit, campaign_id=found.id)] == [EventKind.APPLIED]


async def test_the_stored_definition_is_the_one_that_was_read(unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD.replace('to: "17:30"', 'to: "24:00"'), path)
    read = read_document(GOOD.replace('to: "17:30"', 'to: "24:00"'), Folder(path), lambda _: frozenset())
    assert (await campaign(unit, owner, NAME)).definition == read.definition


async def test_the_same_file_again_changes_nothing(unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD, path)
    again = await apply(unit, owner, "# a remark\n" + GOOD, path)
    assert (again.version, again.created, again.changes, again.errors) == (1, False, (), ())
    assert await versions(unit) == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{hours: 24}", "{hours: 48}", "grace hours: 24 is now 48"),
        ('to: "17:30"', 'to: "16:00"', "window: end: 17:30:00 is now 16:00:00"),
        ("days: mon-fri", "days: mon-thu", "window: days: 1, 2, 3, 4, 5 is now 1, 2, 3, 4"),
        ("per_sender_per_day: 60", "per_sender_per_day: 5", "caps: per sender per day: 60 is now 5"),
        ("Last word", "Bye", "step follow: variant a text changed"),
        ('subject: "Hello"', 'subject: "Hallo"', "step intro: variant b subject changed"),
        (", html_file: intro-b.html", "", "step intro: variant b html removed"),
        ('text: "Guten Tag"', 'text: "Moin"', "step intro: variant a in de text changed"),
        ("after: {days: 4}", "after: {days: 5}", "step follow: after days: 4 is now 5"),
        ("    else: follow\n", "", "step nudge: otherwise: follow is now none"),
        ("ann@north.example, ", "", "mailboxes: ann@north.example, bo@north.example is now bo@north.example"),
    ],
)
async def test_each_change_is_a_version_and_said_in_words(
    old: str, new: str, words: str, unit: Unit, owner: Actor, path: Path
) -> None:
    await apply(unit, owner, GOOD, path)
    applied = await apply(unit, owner, changed(old, new), path)
    assert (applied.version, applied.changes) == (2, (words,))
    assert await versions(unit) == 2


async def test_steps_added_removed_and_moved_are_said(unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD, path)
    head, _, tail = GOOD.partition("  - id: follow")
    extra = (
        "  - {id: last, after: {days: 1}, variants: [{id: a, subject: Hi, text: Hi}]}\nexperiment"
        + tail.partition("experiment")[2]
    )
    applied = await apply(unit, owner, head.replace("    else: follow\n", "") + extra, path)
    assert applied.changes == (
        "step follow removed",
        "step last added",
        "step nudge: otherwise: follow is now none",
    )


async def test_an_edit_of_a_running_campaign_is_told_in_the_same_transaction(
    unit: Unit, owner: Actor, path: Path
) -> None:
    told: list[Campaign] = []

    async def follower(_: Unit, found: Campaign) -> None:
        told.append(found)

    follow(follower)
    for address in ("ann@north.example", "bo@north.example"):
        server = Server("127.0.0.1", 9, Tls.NONE)
        new = NewMailbox(address=address, smtp=server, imap=server, user=address)
        await add_mailbox(unit, owner, new, "a secret")
    await apply(unit, owner, GOOD, path)
    before = await campaign(unit, owner, NAME)
    await set_state(unit, before.id, CampaignState.RUNNING)
    await apply(unit, owner, changed("{hours: 24}", "{hours: 48}"), path)
    after = await campaign(unit, owner, NAME)
    assert (after.state, after.version) == (CampaignState.RUNNING, 2)
    assert told == [after]
    assert (await version(unit, before.version_id)).grace_hours == 24
    assert (await version(unit, after.version_id)).grace_hours == 48


async def test_a_wrong_file_changes_nothing(unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD, path)
    (path / "people.csv").write_text("email\nnew@acme.example\n")
    applied = await apply(unit, owner, changed("{hours: 24}", "{hours: never}"), path)
    assert (applied.campaign, applied.version, applied.changes) == (NAME, None, ())
    assert [(e["line"], e["key"]) for e in applied.errors] == [(8, "grace.hours")]
    assert await versions(unit) == 1
    assert len(await contacts_of_file(unit, "people.csv")) == 1


async def test_an_unreadable_contacts_file_changes_nothing(unit: Unit, owner: Actor, path: Path) -> None:
    (path / "people.csv").write_bytes(b"PK\x03\x04")
    applied = await apply(unit, owner, GOOD, path)
    assert [(e["line"], e["key"]) for e in applied.errors] == [(4, "audience.contacts")]
    assert await versions(unit) == 0


async def test_rejected_rows_of_the_audience_are_said(unit: Unit, owner: Actor, path: Path) -> None:
    (path / "people.csv").write_text("email\nann@acme.example\nbad\n")
    applied = await apply(unit, owner, GOOD, path)
    assert applied.changes[-1] == "people.csv: 1 contacts imported, 0 updated, 1 rows rejected"


@pytest.mark.story("3.1.2.2", 1)
async def test_custom_fields_of_the_audience_may_be_used(unit: Unit, owner: Actor, path: Path) -> None:
    source = changed("Last word", "{{ contact.custom.plan | default: 'x' }}")
    assert [e["key"] for e in (await apply(unit, owner, source, path)).errors] == [
        "steps[3].variants[1].text"
    ]
    (path / "people.csv").write_text("email,Plan\nann@acme.example,pro\n")
    assert (await apply(unit, owner, source, path)).errors == ()


@pytest.mark.parametrize("end", [CampaignState.STOPPED, CampaignState.FINISHED])
async def test_an_ended_campaign_takes_no_change(
    end: CampaignState, unit: Unit, owner: Actor, path: Path
) -> None:
    await apply(unit, owner, GOOD, path)
    found = await campaign(unit, owner, NAME)
    await set_state(unit, found.id, CampaignState.RUNNING)
    await set_state(unit, found.id, end)
    applied = await apply(unit, owner, changed("{hours: 24}", "{hours: 48}"), path)
    assert [(e["line"], e["key"]) for e in applied.errors] == [(2, "name")]
    assert (await apply(unit, owner, GOOD, path)).version == 1


STATES = list(CampaignState)


@settings(max_examples=100)
@given(st.lists(st.sampled_from(STATES), max_size=8))
def test_no_path_of_states_leads_out_of_an_end(path: list[CampaignState]) -> None:
    state, ended = CampaignState.DRAFT, False
    for wanted in path:
        if wanted in _MOVES[state]:
            assert not ended
            assert wanted is not CampaignState.DRAFT
            state = wanted
        ended = state in {CampaignState.STOPPED, CampaignState.FINISHED}


@pytest.mark.parametrize(
    ("moves", "allowed"),
    [
        (["running", "paused", "running", "finished"], True),
        (["running", "running", "stopped", "stopped"], True),
        (["stopped", "running"], False),
        (["paused"], False),
        (["finished"], False),
        (["running", "stopped", "paused"], False),
        (["running", "draft"], False),
    ],
)
async def test_states(moves: list[str], allowed: bool, unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD, path)
    found = await campaign(unit, owner, NAME)
    *first, last = [CampaignState(word) for word in moves]
    for state in first:
        await set_state(unit, found.id, state)
    if allowed:
        await set_state(unit, found.id, last)
        assert (await campaign(unit, owner, NAME)).state is last
    else:
        with pytest.raises(CadenzaError) as error:
            await set_state(unit, found.id, last)
        assert error.value.code == "campaign_state"


@pytest.mark.story("3.1.2.2", 5, 7)
async def test_a_preview_is_what_the_person_would_read(unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD, path)
    rows = b"email,first name,language,company\nx@y.example,,de,Y GmbH\nann@z.example,Ann,en,\nbo@gmail.com,Bo,de,\n"
    report = await import_contacts(unit, owner, rows, file="more.csv")
    nameless, ann, private = [await preview(unit, owner, NAME, i) for i in report.contact_ids]
    first = nameless[0]
    assert (first.step, first.variant, first.language) == ("intro", "a", "de")
    assert (first.rendered.subject, first.rendered.text) == ("Frage zu Y GmbH", "Guten Tag")
    assert nameless[1].rendered.text == "Hello there\n"
    assert (ann[0].language, ann[0].rendered.subject, ann[0].rendered.text) == (
        None,
        "Question about z.example",
        "Hi Ann, ...",
    )
    assert ann[1].rendered.html == "<p>Hello Ann</p>\n"
    assert ann[2].rendered.subject is None
    assert private[0].rendered.subject == "Frage zu Ihr Unternehmen"


async def test_variants_are_parsed_once(unit: Unit, owner: Actor, path: Path) -> None:
    await apply(unit, owner, GOOD, path)
    found = await campaign(unit, owner, NAME)
    parsed = compiled(found.version_id, found.definition)
    assert set(parsed) == {
        ("intro", "a", ""),
        ("intro", "b", ""),
        ("intro", "a", "de"),
        ("nudge", "a", ""),
        ("follow", "a", ""),
    }
    assert compiled(found.version_id, found.definition) is parsed


def test_saved_conditions_are_answered() -> None:
    assert evaluate("delivered(intro) and not bounced(intro)", ConditionFacts(delivered=frozenset({"intro"})))
    assert not evaluate("delivered(intro) and not bounced(intro)", ConditionFacts())


async def test_what_is_missing_or_forbidden_is_said(unit: Unit) -> None:
    reader = Actor(unit.workspace_id, Role.READ_ONLY, Origin.API)
    with pytest.raises(CadenzaError, match="may not edit campaigns"):
        await apply(unit, reader, GOOD)
    with pytest.raises(CadenzaError, match="no campaign nothing"):
        await campaign(unit, reader, "nothing")
    with pytest.raises(CadenzaError, match="no campaign"):
        await set_state(unit, new_id(), CampaignState.RUNNING)
    with pytest.raises(CadenzaError, match="no campaign version"):
        await version(unit, new_id())


async def test_another_workspaces_campaign_looks_missing(unit: Unit, owner: Actor) -> None:
    row = CampaignRow(
        workspace_id=unit.workspace_id, id=new_id(), name="mine", state="draft", version=1, version_id=new_id(),
        created_at=unit.world.now(),
    )  # fmt: skip
    unit.session.add(row)
    await unit.session.flush()
    stranger = Unit(unit.session, new_id(), unit.world, unit.machine, unit.secrets)
    assert await repository.by_id(stranger, row.id) is None
    with pytest.raises(CadenzaError, match="no campaign mine"):
        await campaign(stranger, owner, "mine")
