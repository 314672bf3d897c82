"""Imports reach the database once, keep what was there, and never lift a stop."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cadenza.audience.commands import _one
from cadenza.audience.contracts import Channel, SuppressionKind, SuppressionReason
from cadenza.audience.models import AccountRow, AddressRow, ContactRow
from cadenza.audience.service import (
    contact,
    contacts,
    contacts_of_file,
    custom_fields,
    find_by_address,
    import_contacts,
    load_recipients,
    resolve_contacts_file,
    suppress,
)
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor, Origin, Role
from cadenza.ledger.contracts import EventKind
from cadenza.ledger.service import timeline

PEOPLE = b"""email,first name,company,country,phone,linkedin,plan
ann@acme.example,Ann,Acme,Germany,030 901820,linkedin.com/in/ann,pro
bo@acme.example,Bo,,,,,
cy@gmail.com,Cy,,,,,
"""


async def count(unit: Unit, model: type) -> int:
    query = select(func.count()).select_from(model).where(model.workspace_id == unit.workspace_id)  # type: ignore[attr-defined]
    return await unit.session.scalar(query) or 0


async def test_people_and_companies_are_stored(unit: Unit, owner: Actor) -> None:
    report = await import_contacts(unit, owner, PEOPLE, file="lists/people.csv")
    assert (report.rows, report.accepted, report.created, report.updated) == (3, 3, 3, 0)
    ann, bo, cy = [await contact(unit, owner, i) for i in report.contact_ids]
    assert (ann.email, ann.phone_e164, ann.linkedin_url, ann.timezone) == (
        "ann@acme.example", "+4930901820", "https://www.linkedin.com/in/ann", "Europe/Berlin",
    )  # fmt: skip
    assert ann.account is not None
    assert (ann.account.name, ann.account.domain) == ("Acme", "acme.example")
    assert bo.account == ann.account
    assert (cy.account, cy.timezone, cy.name) == (None, "UTC", "Cy")
    assert await contacts_of_file(unit, "people.csv") == list(report.contact_ids)
    assert await custom_fields(unit) == {"plan"}
    assert [e.kind for e in await timeline(unit, contact_id=ann.id)] == [EventKind.IMPORTED]


async def test_importing_again_updates_and_keeps_what_is_left_out(unit: Unit, owner: Actor) -> None:
    first = await import_contacts(unit, owner, PEOPLE, file="people.csv")
    again = await import_contacts(
        unit,
        owner,
        b"email,first name,last name,plan,size\nANN@acme.example,,Berg,basic,9\nnew@acme.example,New,,,\n",
        file="b.csv",
    )
    assert (again.accepted, again.created, again.updated) == (2, 1, 1)
    ann = await contact(unit, owner, first.contact_ids[0])
    assert again.contact_ids[0] == ann.id
    assert (ann.first_name, ann.last_name, ann.custom) == ("Ann", "Berg", {"plan": "basic", "size": "9"})
    assert ann.phone_e164 == "+4930901820"
    assert await count(unit, ContactRow) == 4
    assert await count(unit, AccountRow) == 1


async def test_a_company_known_by_its_domain_gets_its_name_later(unit: Unit, owner: Actor) -> None:
    first = await import_contacts(unit, owner, b"email\nann@acme.example\n", file="a.csv")
    facts = (await load_recipients(unit, first.contact_ids))[first.contact_ids[0]].facts
    assert facts["account"]["name"] == "acme.example"
    await import_contacts(unit, owner, b"email,company\nbo@acme.example,Acme Ltd\n", file="b.csv")
    await import_contacts(unit, owner, b"email,company\ncy@acme.example,Acme Other\n", file="c.csv")
    facts = (await load_recipients(unit, first.contact_ids))[first.contact_ids[0]].facts
    assert facts["account"]["name"] == "Acme Ltd"


async def test_two_imports_at_once_make_one_person(database: Database, workspace: Actor) -> None:
    async def one(name: str) -> int:
        async with database.unit(workspace.workspace_id) as unit:
            return (await import_contacts(unit, workspace, PEOPLE, file=name)).created

    assert sorted(await asyncio.gather(one("a.csv"), one("b.csv"))) == [0, 3]
    async with database.unit(workspace.workspace_id) as unit:
        assert await count(unit, ContactRow) == 3
        assert await count(unit, AccountRow) == 1


async def test_the_command_prints_the_report(
    database: Database, workspace: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.csv").write_bytes(PEOPLE)
    for file, taken in ((tmp_path / "p.csv", True), (tmp_path / "none.csv", False)):
        assert await _one(database, workspace, file, {}, dry_run=False, as_json=True) is taken
    report, error = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (report["created"], report["dry_run"], report["compared"]) == (3, False, True)
    assert "contact_ids" not in report
    assert error["error"]["code"] == "file_unreadable"


async def test_a_linkedin_profile_finds_the_person_under_a_new_address(unit: Unit, owner: Actor) -> None:
    first = await import_contacts(unit, owner, PEOPLE, file="people.csv")
    again = await import_contacts(
        unit, owner, b"email,linkedin\nann@new.example,linkedin.com/in/ANN\n", file="b.csv"
    )
    assert again.contact_ids == first.contact_ids[:1]
    ann = await contact(unit, owner, again.contact_ids[0])
    assert ann.email == "ann@acme.example"
    assert await find_by_address(unit, Channel.EMAIL, "Ann@New.example") == ann.id


async def test_an_address_never_moves_to_another_person(unit: Unit, owner: Actor) -> None:
    first = await import_contacts(unit, owner, PEOPLE, file="people.csv")
    await import_contacts(unit, owner, b"email,linkedin\nbo@acme.example,linkedin.com/in/ann\n", file="b.csv")
    assert await find_by_address(unit, Channel.LINKEDIN, "linkedin.com/in/ann") == first.contact_ids[0]


async def test_a_telephone_may_be_shared(unit: Unit, owner: Actor) -> None:
    rows = b"email,first name,phone\na@x.example,A,+4930901820\nb@x.example,B,+4930901820\n"
    report = await import_contacts(unit, owner, rows, file="p.csv")
    assert [(await contact(unit, owner, i)).phone_e164 for i in report.contact_ids] == ["+4930901820"] * 2
    nameless = await import_contacts(
        unit, owner, b"first name,phone\nA,+49 30 901820\nZ,+49 30 901820\n", file="q.csv"
    )
    assert (nameless.updated, nameless.created) == (1, 1)


@pytest.mark.must_not("M3")
@pytest.mark.story("3.1.1.3", 6)
async def test_an_import_lifts_no_stop(unit: Unit, owner: Actor) -> None:
    report = await import_contacts(unit, owner, PEOPLE, file="people.csv")
    await suppress(unit, SuppressionKind.ADDRESS, "ann@acme.example", SuppressionReason.OPT_OUT, "test")
    await import_contacts(unit, owner, PEOPLE, file="people.csv")
    found = await load_recipients(unit, report.contact_ids)
    assert [bool(found[i].suppression) for i in report.contact_ids] == [True, False, False]


async def test_a_dry_run_compares_and_changes_nothing(unit: Unit, owner: Actor) -> None:
    await import_contacts(unit, owner, b"email\nann@acme.example\n", file="a.csv")
    report = await import_contacts(unit, owner, PEOPLE, file="people.csv", dry_run=True)
    assert (report.accepted, report.created, report.updated, report.dry_run) == (3, 2, 1, True)
    assert report.contact_ids == ()
    assert await count(unit, ContactRow) == 1
    assert await contacts_of_file(unit, "people.csv") == []


async def test_the_newest_import_of_a_file_is_the_audience(unit: Unit, owner: Actor, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE)
    first = await resolve_contacts_file(unit, owner, path)
    assert first is not None
    assert await resolve_contacts_file(unit, owner, path) is None
    path.write_bytes(b"email\nbo@acme.example\nbad\n")
    second = await resolve_contacts_file(unit, owner, path)
    assert second is not None
    assert len(second.rejected) == 1
    assert await contacts_of_file(unit, "x/people.csv") == [first.contact_ids[1]]


async def test_only_who_may_import_can(unit: Unit) -> None:
    rep = Actor(unit.workspace_id, Role.REP, Origin.API)
    with pytest.raises(CadenzaError) as error:
        await import_contacts(unit, rep, PEOPLE, file="people.csv")
    assert error.value.code == "not_allowed"


@pytest.mark.parametrize(
    "query", ["'", "a' | 'b", "\\", "a & !b", "(a", ":*", "%", "x'; drop table contacts; --", "\0"]
)
async def test_any_search_is_only_a_search(query: str, unit: Unit, owner: Actor) -> None:
    await import_contacts(unit, owner, PEOPLE, file="people.csv")
    assert (await contacts(unit, owner, query)).total <= 3


@pytest.mark.parametrize(
    ("query", "people"), [("ann", 1), ("acm", 2), ("BO acme", 1), ("cy@gm", 1), ("gmail.com", 1), ("zz", 0)]
)
async def test_the_list_is_searched_by_beginnings(query: str, people: int, unit: Unit, owner: Actor) -> None:
    await import_contacts(unit, owner, PEOPLE, file="people.csv")
    found = await contacts(unit, owner, query)
    assert (found.total, len(found.contacts)) == (people, people)


async def test_the_list_comes_in_pages(unit: Unit, owner: Actor) -> None:
    rows = "email\n" + "".join(f"p{n}@x.example\n" for n in range(7))
    await import_contacts(unit, owner, rows.encode(), file="p.csv")
    pages = [await contacts(unit, owner, page=n, size=3) for n in (1, 2, 3)]
    assert [(len(p.contacts), p.more, p.total) for p in pages] == [(3, True, 7), (3, True, 7), (1, False, 7)]
    assert len({c.id for p in pages for c in p.contacts}) == 7


@pytest.mark.slow
async def test_ten_thousand_rows_come_in_whole(unit: Unit, owner: Actor) -> None:
    rows = "".join(
        f"p{n}@company{n // 3}.example,First{n},Last{n},Company {n // 3},DE,+4930{1000000 + n},size{n}\n"
        for n in range(10_000)
    )
    report = await import_contacts(
        unit, owner, ("email,first name,last name,company,country,phone,x\n" + rows).encode(), file="p.csv"
    )
    assert report.created == 10_000
    assert await count(unit, AddressRow) == 20_000
    assert await count(unit, AccountRow) == 3334


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("muller", {"Müller", "Muller"}), ("mueller", {"Müller", "Mueller"}), ("Müller", {"Müller", "Mueller", "Muller"}),
        ("Mu\u0308ller", {"Müller", "Mueller", "Muller"}), ("garcia", {"García"}), ("GARCÍA", {"García"}), ("lodz", {"Łódź"}),
        ("sorensen", {"Sørensen"}), ("soerensen", {"Sørensen"}), ("strasse", {"Straße"}), ("mul jose", set[str]()),
        ("%", set[str]()), ("_", set[str]()), ("% _", set[str]()), ("garc%", {"García"}),
    ],
)  # fmt: skip
async def test_a_search_needs_no_accents_and_signs_stand_for_nobody(
    unit: Unit, owner: Actor, typed: str, found: set[str]
) -> None:
    names = ("Müller", "Mueller", "Muller", "García", "Łódź", "Sørensen", "Straße")
    lines = [f"p{n}@firm.example,{name}" for n, name in enumerate(names)]
    await import_contacts(unit, owner, "\n".join(["email,last name", *lines]).encode(), file="people.csv")
    assert {person.last_name for person in (await contacts(unit, owner, typed)).contacts} == found
    assert (await contacts(unit, owner, "  ")).total == len(names)
