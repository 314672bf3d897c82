"""Every page, asked for as a browser does: it answers, it is inert, it changes nothing, it keeps workspaces apart."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from starlette.requests import Request

from cadenza.app.composition import web_app
from cadenza.core.database import Database, Row
from cadenza.core.settings import Settings
from cadenza.engine.live_pages import live_stream
from cadenza.identity.contracts import SESSION_COOKIE, Role
from cadenza.identity.service import add_member, log_in, log_out, session_actor
from cadenza.web.security import form_token
from tests.support.statements import MOST_OF_A_LIST, heard, questions
from tests.web.seed import CAMPAIGN, PASSWORD, Seeded, seed

MARK = "zq7"
HOSTILE = f" =1+1<img src=x onerror={MARK}()>\"'><script>{MARK}()</script>{{{{7*7}}}}"
# Where a person is called or written to by hand: a number or a profile in its normal form, and nothing else.
_PERSON = re.compile(r"tel:\+[0-9]{7,15}|https://www\.linkedin\.com/in/[A-Za-z0-9_.%-]+")
_ONLY_CHANGES = (
    "/assign",
    "/edit",
    "/+new",
    "/settings/webhooks",
    "/+connect",
    "/gmx",
    "/google",
    "/other",
    "/+connect/linkedin",
    "/+connect/phone",
    "/change",
    "/end",
)  # pages that are closed to who may only read
_ATTRIBUTES = {"href", "src", "action", "hx-post", "sse-connect"}


class _Page(HTMLParser):
    """The elements of a page, and the text between them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def links(self) -> set[str]:
        return {href for tag, attributes in self.elements if tag == "a" and (href := attributes.get("href"))}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, sandbox=True)


async def _visitor(database: Database, settings: Settings, email: str) -> httpx.AsyncClient:
    token = await log_in(database, email, PASSWORD, "127.0.0.1")
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(web_app(database, settings)),
        base_url="http://testserver",
        cookies={SESSION_COOKIE: token},
    )
    client.headers.update(
        {"accept": "text/html", "sec-fetch-site": "same-origin", "x-csrf-token": form_token(token)}
    )
    return client


@pytest.fixture
async def visitor(database: Database, settings: Settings, seeded: Seeded) -> AsyncIterator[httpx.AsyncClient]:
    client = await _visitor(database, settings, seeded.email)
    async with client:
        yield client


@pytest.mark.must_not("M24")
@pytest.mark.asvs("1.2.1", "1.2.2", "1.3.1", "1.3.5", "1.3.7", "3.2.2")
async def test_text_of_strangers_stays_text_on_every_page(database: Database, settings: Settings) -> None:
    seeded = await seed(database, lambda words: words + HOSTILE)
    seen = 0
    async with await _visitor(database, settings, seeded.email) as client:
        for address in seeded.pages:
            answer = await client.get(address)
            assert answer.status_code == (404 if address == "/nowhere" else 200), (
                f"{address}: {answer.text[-500:]}"
            )
            page = _Page(answer.text)
            seen += MARK in page.words
            for tag, attributes in page.elements:
                assert tag not in {"img", "iframe", "object", "embed", "base"}, f"{address}: <{tag}>"
                assert tag != "script" or (attributes.get("nonce") and attributes.get("src")), address
                assert not any(name.startswith("on") for name in attributes), f"{address}: {attributes}"
                for name in _ATTRIBUTES & attributes.keys():
                    target = attributes[name] or ""
                    to_a_person = address.startswith("/work/") and _PERSON.fullmatch(target)
                    assert to_a_person or target.startswith(("/", "#", "?")), f"{address}: {attributes}"
            assert f"{MARK}()49" not in page.words
    assert seen >= len(seeded.pages) * 0.7, "the corpus did not reach the pages"


async def _everything(database: Database, seeded: Seeded) -> dict[str, int]:
    """A number for the content of each table of the workspace."""
    async with database.unit(seeded.actor.workspace_id) as unit:
        tables = [name for name, table in Row.metadata.tables.items() if "workspace_id" in table.columns]
        query = "select coalesce(sum(hashtext(t::text)::bigint), 0) + count(*) from {} t"
        return {name: (await unit.session.execute(text(query.format(name)))).scalar_one() for name in tables}


@pytest.mark.must_not("M4")
@pytest.mark.asvs("3.5.3")
async def test_following_every_link_changes_nothing(
    database: Database, seeded: Seeded, visitor: httpx.AsyncClient
) -> None:
    before = await _everything(database, seeded)
    waiting, seen = list(seeded.pages), set[str]()
    while waiting:
        address = waiting.pop()
        path = address.partition("#")[0]
        if not path or path in seen or len(seen) > 150:
            continue
        seen.add(path)
        for method in ("HEAD", "GET"):
            answer = await visitor.request(method, path)
            assert answer.status_code < 500, f"{method} {path}"
        if "stream" not in path:
            waiting += [str(httpx.URL(path).join(link)) for link in _Page(answer.text).links]
    assert len(seen) > 40
    assert await _everything(database, seeded) == before


_LISTS = (
    "/", "/inbox", "/campaigns", "/contacts", "/contacts?q=Katrin", "/senders", "/senders/pools", f"/campaigns/{CAMPAIGN}/events",
    "/audit", "/audit?what=signed_in&first=2026-03-02", "/settings/members", "/settings/tokens", "/settings/account",
    "/settings/teams", "/settings/webhooks", "/outbox", "/outbox?state=kept_back", f"/campaigns/{CAMPAIGN}/versions", "/contacts/imports",
    "/contacts/segments", "/contacts/fields", "/inbox?view=all", "/senders?state=broken", "/palette?q=k",
)  # fmt: skip


@pytest.mark.parametrize("address", _LISTS)
async def test_a_list_asks_few_questions_however_long_it_is(
    database: Database, visitor: httpx.AsyncClient, address: str
) -> None:
    with heard(database) as sent:
        assert (await visitor.get(address)).status_code == 200
    asked = questions(sent)
    assert len(asked) <= MOST_OF_A_LIST, "\n".join(asked)


@pytest.mark.asvs("8.2.2")
async def test_what_belongs_to_others_looks_as_if_it_were_not_there(
    database: Database, visitor: httpx.AsyncClient
) -> None:
    other = await seed(database)
    for kind, foreign, missing in (
        ("contacts", other.contacts[0], uuid4()), ("touches", other.sent, uuid4()), ("inbox", other.conversation, uuid4()),
    ):  # fmt: skip
        answers = [await visitor.get(f"/{kind}/{identity}") for identity in (foreign, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        said = [re.sub(r"[0-9a-f-]{32,36}", "ID", _Page(answer.text).words) for answer in answers]
        assert said[0] == said[1]


@pytest.mark.asvs("8.2.1", "8.3.1", "16.3.2")
async def test_a_reader_sees_everything_and_changes_nothing(
    database: Database, settings: Settings, seeded: Seeded
) -> None:
    email = f"{uuid4().hex}@halden.example"
    async with database.unit(seeded.actor.workspace_id) as unit:
        await add_member(unit, seeded.actor, email=email, name="Ruth", role=Role.READ_ONLY, password=PASSWORD)
    before = await _everything(database, seeded)
    changes = [
        (f"/campaigns/{CAMPAIGN}/{act}", {}) for act in ("launch", "pause", "resume", "stop")
    ] + [
        ("/campaigns/pause", {}),
        (f"/touches/{seeded.in_doubt}/settle", {"decision": "send_again"}),
        (f"/contacts/{seeded.contacts[0]}/suppress", {}),
        (f"/inbox/{seeded.conversation}/answer", {"text": "hello", "draft": str(uuid4())}),
        (f"/inbox/{seeded.conversation}/assign", {"member": ""}),
        (f"/inbox/{seeded.conversation}/close", {}),
        ("/sandbox/speed", {"speed": "2"}),
    ]  # fmt: skip
    async with await _visitor(database, settings, email) as reader:
        asked_in_vain = 0
        for address in seeded.pages:
            answer = await reader.get(address)
            closed = address.endswith(_ONLY_CHANGES)
            asked_in_vain += closed
            assert answer.status_code in ({403} if closed else {200, 404}), address
            forms = [
                a.get("action")
                for tag, a in _Page(answer.text).elements
                if tag == "form" and a.get("method") == "post"
            ]
            assert set(forms) <= {"/logout", "/sandbox/speed"}, address
        for address, form in changes:
            assert (await reader.post(address, data=form)).status_code == 403, address
    after = await _everything(database, seeded)
    assert {name for name in after if after[name] != before[name]} == {
        "audit_entries", "audit_links", "audit_heads",
    }  # fmt: skip
    async with database.unit(seeded.actor.workspace_id) as unit:
        refused = await unit.session.scalar(
            text("select count(*) from audit_entries where action = 'refused'")
        )
    assert refused == len(changes) + asked_in_vain, "each refusal is in the audit trail once"


async def test_strangers_are_sent_to_log_in(database: Database, settings: Settings, seeded: Seeded) -> None:
    transport = httpx.ASGITransport(web_app(database, settings))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver", headers={"accept": "text/html"}
    ) as stranger:
        for address in seeded.pages[:-1]:
            answer = await stranger.get(address)
            assert answer.status_code == 303, address
            assert answer.headers["location"].startswith("/login"), address


async def test_wrong_addresses_and_forms_are_told_in_words(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    for address in (
        "/contacts/not-an-id",
        "/touches/1",
        "/inbox/x",
        "/campaigns/none",
        "/contacts?page=0",
        "/inbox?cursor=%00",
    ):
        answer = await visitor.get(address)
        assert answer.status_code in {400, 404}, address
    wrong = {
        f"/touches/{seeded.in_doubt}/settle": {"decision": "perhaps"},
        f"/inbox/{seeded.conversation}/answer": {"text": "x", "draft": "no id"},
        f"/inbox/{seeded.conversation}/assign": {"member": "no id"},
        "/sandbox/speed": {"speed": "fast"},
    }
    for address, form in wrong.items():
        assert (await visitor.post(address, data=form)).status_code == 422, address


async def test_the_inbox_answers_assigns_and_closes(visitor: httpx.AsyncClient, seeded: Seeded) -> None:
    here = f"/inbox/{seeded.conversation}"
    draft = {"text": "Gern: Donnerstag um 10?", "draft": str(uuid4()), "view": "all"}
    for _ in range(2):
        answer = await visitor.post(f"{here}/answer", data=draft)
        assert answer.headers["location"] == f"{here}?view=all&said=answered"
    page = (await visitor.get(here)).text
    assert page.count("Gern: Donnerstag um 10?") == 2  # its first words and its text: one message
    assert "Our answer" in page
    member = re.search(r'<option value="([0-9a-f-]{36})"', page)
    assert member
    await visitor.post(f"{here}/assign", data={"member": member[1]})
    assert f'<option value="{member[1]}" selected>' in (await visitor.get(here)).text
    await visitor.post(f"{here}/close", data={})
    assert "Katrin" not in (await visitor.get("/inbox")).text
    assert "Katrin" in (await visitor.get("/inbox?view=closed")).text


async def test_a_doubt_is_settled_from_today(visitor: httpx.AsyncClient, seeded: Seeded) -> None:
    assert "Was “Ungeplante Stillstände” sent?" in (await visitor.get("/")).text
    answer = await visitor.post(
        f"/touches/{seeded.in_doubt}/settle", data={"decision": "was_sent", "back": "/"}
    )
    assert answer.headers["location"] == "/?said=settled"
    assert "Was “Ungeplante Stillstände” sent?" not in (await visitor.get("/")).text
    assert "Sent once" in (await visitor.get(f"/touches/{seeded.in_doubt}")).text


async def test_what_somebody_would_get_stands_in_a_calendar(visitor: httpx.AsyncClient) -> None:
    """Of a whole week each, with the reasons below it."""
    text = (await visitor.get(f"/campaigns/{CAMPAIGN}")).text
    assert "would get" in text
    weeks = re.findall(
        r"<tr>(?:<td.*?</td>)+</tr>", text[text.index('class="weeks"') :].partition("</table>")[0]
    )
    assert weeks
    assert {week.count("<td") for week in weeks} == {7}
    reasons = text.partition('class="fate"')[2].partition("</ol>")[0].count("<li>")
    assert sum(week.count('class="guess"') for week in weeks) == reasons > 0


async def test_a_campaign_is_paused_resumed_and_stopped(visitor: httpx.AsyncClient) -> None:
    for act, words in (
        ("pause", "Paused: nothing leaves."),
        ("resume", "1 message is in doubt and waits for you."),
        ("stop", "Over."),
    ):
        answer = await visitor.post(f"/campaigns/{CAMPAIGN}/{act}", data={})
        assert answer.status_code == 303
        assert words in (await visitor.get(answer.headers["location"])).text
    again = await visitor.post(f"/campaigns/{CAMPAIGN}/resume", data={})
    assert again.status_code == 409


@pytest.mark.story("3.1.1.6", 6)
async def test_all_campaigns_are_paused_at_once(visitor: httpx.AsyncClient) -> None:
    assert "Pause all" in (await visitor.get("/campaigns")).text
    answer = await visitor.post("/campaigns/pause", data={})
    page = (await visitor.get(answer.headers["location"])).text
    assert "0 campaigns run now." in page
    assert "Pause all" not in page


async def test_a_mailbox_is_tested_and_its_trouble_stands_beside_it(visitor: httpx.AsyncClient) -> None:
    address = re.search(r'action="(/senders/[0-9a-f-]+/test)"', (await visitor.get("/senders")).text)
    assert address
    answer = await visitor.post(address[1], data={})
    page = _Page((await visitor.get(answer.headers["location"])).text).words
    assert "The mailbox does not work; the reason stands beside it." in page
    assert "127.0.0.1:9 cannot be reached" in page
    assert "Broken" in page


async def test_a_text_is_sent_to_oneself_from_the_page_that_shows_it(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    here = f"/campaigns/{CAMPAIGN}"
    page = (await visitor.get(f"{here}?step=follow")).text
    assert f'action="/campaigns/{CAMPAIGN.replace(" ", "%20")}/try"' in page
    form = {"step": "follow", "variant": "a", "contact": str(seeded.contacts[0])}
    words = _Page((await visitor.post(f"{here}/try", data=form)).text).words
    assert f"Not sent from nora@halden.example to {seeded.email}." in words  # nothing listens at its server
    wrong = await visitor.post(f"{here}/try", data=form | {"step": "nowhere"})
    assert wrong.status_code == 404


async def test_a_person_is_stopped_from_their_page(visitor: httpx.AsyncClient, seeded: Seeded) -> None:
    here = f"/contacts/{seeded.contacts[3]}"
    assert "None. This person may be written to." in (await visitor.get(here)).text
    await visitor.post(f"{here}/suppress", data={})
    assert "Stopped by a colleague" in (await visitor.get(here)).text


async def test_a_touch_tells_every_gate_decision_and_answer_of_the_wire(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    words = _Page((await visitor.get(f"/touches/{seeded.sent}")).text).words
    for said in (
        "On the stop list?", "No stop.", "Is a sender free?", "Waits", "Variant: a", "Drawn evenly.", "50\u202f%",
        "Policy even_split, version 1", "2.0.0 queued", "nora@halden.example", "Opened by a machine, not counted",
    ):  # fmt: skip
        assert said in words, said


async def test_a_person_is_one_line_of_time_from_the_import_to_what_is_planned(
    visitor: httpx.AsyncClient, seeded: Seeded
) -> None:
    words = _Page((await visitor.get(f"/contacts/{seeded.contacts[0]}")).text).words
    story = ["Imported", f"Joined {CAMPAIGN}", "Replied", "now 09:00", "follow"]
    places = [words.index(said) for said in story]
    assert places == sorted(places)
    assert "Three working days after intro." in words
    stopped = _Page((await visitor.get(f"/contacts/{seeded.contacts[1]}")).text).words
    assert "Source: reply of 2 March" in stopped
    assert "Nothing is planned" in stopped


async def test_every_figure_opens_into_the_events_it_counts(visitor: httpx.AsyncClient) -> None:
    page = _Page((await visitor.get(f"/campaigns/{CAMPAIGN}/live")).text)
    kinds = {link.partition("kind=")[2]: link for link in page.links if "/events?kind=" in link}
    assert kinds.keys() >= {
        "sent",
        "delivered",
        "replied",
        "analysed",
        "bounced",
        "unsubscribed",
        "in_doubt",
        "clicked",
    }
    for kind, count in (("sent", 3), ("bounced", 1), ("in_doubt", 1), ("unsubscribed", 0)):
        rows = (await visitor.get(kinds[kind])).text.count("<tr>")
        assert rows == (count + 1 if count else 0), kind
    other = await visitor.get(f"/campaigns/{CAMPAIGN}/events?kind=sent&step=intro&variant=b")
    assert "Only text b of step intro." in other.text
    assert "None yet" in other.text


@pytest.mark.asvs("7.4.2")
async def test_a_stream_ends_when_its_reader_is_signed_out(
    database: Database, settings: Settings, seeded: Seeded
) -> None:
    token = await log_in(database, seeded.email, PASSWORD, "127.0.0.1")
    found = await session_actor(database, token, settings)
    assert found
    scope = {
        "type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "app": web_app(database, settings),
        "state": {"actor": found[0], "member": found[1], "session_token": token},
    }  # fmt: skip
    frames = (await live_stream(Request(scope), CAMPAIGN)).body_iterator
    assert await anext(frames) == "retry: 1000\n\n"
    assert str(await anext(frames)).startswith("event: part\n")
    await log_out(database, token)
    assert await anext(frames) == "event: over\ndata: \n\n"
    with pytest.raises(StopAsyncIteration):
        await anext(frames)
