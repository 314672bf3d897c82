"""Mailboxes that are opened by a person's consent: connected, kept open, taken back, connected again."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from cadenza.channels.contracts import Envelope, FolderCursor, Mailbox, MailboxState, Outcome
from cadenza.channels.disconnecting import disconnect
from cadenza.channels.oauth_providers import CONSENTS
from cadenza.channels.service import (
    ImapReader,
    NewMailbox,
    SmtpSession,
    add_mailbox,
    credentials,
    mailbox,
    test_stored_mailbox,
)
from cadenza.core.crypto import SecretBox
from cadenza.core.database import Base, Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.core.rotation import seal_anew, sealed_columns
from cadenza.core.settings import settings
from cadenza.identity.contracts import Actor, Role
from cadenza.ledger.contracts import WorkKind
from cadenza.ledger.service import work_items
from tests.channels.conftest import ANNA, BEN, HERE, Scene, asked_for
from tests.servers.mail_provider import MARK, token_post

test_stored_mailbox.__test__ = False  # type: ignore[attr-defined] - a door, whatever pytest thinks of its name

HOUR = timedelta(hours=1)


async def sent(scene: Scene, box: Mailbox) -> Outcome:
    """One message over the wire, as the worker sends it."""
    secret = await credentials(scene.database, box.workspace_id, box.id)
    letter = Envelope(
        uuid4(), ANNA, BEN, b"Subject: hello\r\nX-Cadenza-Touch: " + uuid4().hex.encode() + b"\r\n\r\nx\r\n"
    )
    async with SmtpSession(box.smtp, secret) as session:
        reply = await session.send(letter)
    return reply.outcome


async def read(scene: Scene, box: Mailbox) -> int:
    secret = await credentials(scene.database, box.workspace_id, box.id)
    async with ImapReader(box.imap, secret, pause=0.001, patience=2) as reader:
        return sum([len(b.messages) async for b in reader.fetch_new(FolderCursor("Sent"))])


async def state(scene: Scene, box: Mailbox) -> Mailbox:
    async with scene.database.unit(box.workspace_id) as unit:
        return await mailbox(unit, box.id)


async def requests(scene: Scene) -> list[str]:
    """What people are asked to mend."""
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        found = await work_items(unit, scene.actor, kinds=[WorkKind.SENDER_BROKEN])
    return [f"{item.title}: {item.detail}" for item in found]


@pytest.mark.asvs("10.2.3")
@pytest.mark.parametrize("key", ["google", "microsoft"])
async def test_no_more_is_asked_for_than_the_table_says(scene: Scene, key: str) -> None:
    asked = asked_for(await scene.begin(key=key, address=ANNA))
    assert asked["scope"].split() == list(CONSENTS[key].scopes)
    assert asked["code_challenge_method"] == "S256"
    assert asked["login_hint"] == ANNA
    assert asked["redirect_uri"] == "https://cadenza.example/connect/callback"
    assert "client_secret" not in asked


async def test_the_whole_life_of_a_mailbox_by_consent(scene: Scene) -> None:
    box = await scene.connect()
    assert (box.address, box.user, box.state) == (ANNA, ANNA, MailboxState.OK)
    assert await sent(scene, box) is Outcome.ACCEPTED
    assert await read(scene, box) == 1
    assert scene.provider.refreshes == 0

    scene.machine.move(2 * HOUR)
    assert await sent(scene, box) is Outcome.ACCEPTED
    assert scene.provider.refreshes == 1

    scene.provider.take_back()
    scene.machine.move(2 * HOUR)
    with pytest.raises(CadenzaError) as over:
        await sent(scene, box)
    assert (over.value.code, over.value.kind) == ("mailbox_access_revoked", Kind.CONFLICT)
    broken = await state(scene, box)
    assert broken.state is MailboxState.BROKEN
    assert "taken back" in broken.state_reason
    (request,) = await requests(scene)
    assert request.startswith(f"{ANNA} cannot be opened")
    assert "Connect it again" in request

    scene.fresh()
    again = await scene.connect(address=ANNA)
    assert again.id == box.id
    assert again.state is MailboxState.OK
    assert await requests(scene) == []
    assert await sent(scene, again) is Outcome.ACCEPTED
    assert await read(scene, again) == 3


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_a_token_that_ends_before_its_time_is_replaced_on_the_wire(
    scene: Scene, mechanism: str
) -> None:
    box = await scene.connect()
    async with token_post(scene.post, scene.provider.lets_in, mechanism) as (smtp, imap):
        box = replace(box, smtp=smtp, imap=imap)
        for act in (sent, read):
            secret = await credentials(scene.database, box.workspace_id, box.id)
            scene.provider.end_tokens()
            assert await act(scene, box), act
            again = await credentials(scene.database, box.workspace_id, box.id)
            assert again.token != secret.token
    assert scene.provider.refreshes == 2
    assert (await state(scene, box)).state is MailboxState.OK


async def test_a_reader_that_stays_for_hours_logs_in_again_with_a_new_token(scene: Scene) -> None:
    box = await scene.connect()
    secret = await credentials(scene.database, box.workspace_id, box.id)
    async with ImapReader(box.imap, secret, pause=0.001) as reader:
        await reader.end("INBOX")
        scene.machine.move(3 * HOUR)
        reader._connection.close()
        await reader.end("INBOX")
    assert scene.provider.refreshes == 1


async def test_workers_that_come_at_once_refresh_once(scene: Scene) -> None:
    scene.provider.rotating = True
    box = await scene.connect()
    scene.machine.move(2 * HOUR)
    scene.provider.pause = 0.2
    found = await asyncio.gather(*(credentials(scene.database, box.workspace_id, box.id) for _ in range(8)))
    assert len({each.token for each in found}) == 1
    assert scene.provider.refreshes == 1


async def test_a_refresh_token_that_changes_each_time_is_followed(scene: Scene) -> None:
    scene.provider.rotating = True
    box = await scene.connect()
    for _ in range(3):
        scene.machine.move(2 * HOUR)
        assert await sent(scene, box) is Outcome.ACCEPTED
    assert scene.provider.refreshes == 3
    assert len(scene.provider.refresh) == 1


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ((500, "oops"), "answer_unreadable"),
        ((200, "<html>"), "answer_unreadable"),
        ((200, {"token_type": "Bearer"}), "provider_unusable"),
        ((200, ["no", "record"]), "provider_unusable"),
        ((503, {"error": "temporarily_unavailable"}), "provider_unusable"),
        ((400, {"error": "invalid_request"}), "provider_unusable"),
    ],
)
async def test_a_provider_that_is_unwell_breaks_nothing(
    scene: Scene, failing: tuple[int, Any], code: str
) -> None:
    box = await scene.connect()
    scene.provider.failing = failing
    scene.machine.move(HOUR - timedelta(minutes=2))
    assert await sent(scene, box) is Outcome.ACCEPTED, "the token has two minutes left"
    scene.machine.move(HOUR)
    with pytest.raises(CadenzaError) as later:
        await sent(scene, box)
    assert (later.value.code, later.value.kind) == (code, Kind.TEMPORARY)
    assert (await state(scene, box)).state is MailboxState.OK
    assert await requests(scene) == []
    scene.provider.failing = None
    assert await sent(scene, box) is Outcome.ACCEPTED


@pytest.mark.parametrize("how", ["every page is broken", "nobody listens", "it describes somebody else"])
async def test_a_provider_that_cannot_be_asked_breaks_nothing(
    scene: Scene, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = await scene.connect()
    if how == "nobody listens":
        monkeypatch.setenv("CADENZA_GOOGLE_ISSUER", "http://127.0.0.1:9")
        settings.cache_clear()
    elif how == "every page is broken":
        scene.provider.away = 503
    else:
        scene.provider.description = {"issuer": "https://evil.example"}
    scene.machine.move(2 * HOUR)
    with pytest.raises(CadenzaError) as later:
        await sent(scene, box)
    assert (later.value.code, later.value.kind) == ("provider_unusable", Kind.TEMPORARY)
    assert (await state(scene, box)).state is MailboxState.OK
    assert await requests(scene) == []
    gone = await disconnect(scene.database, HERE, scene.fresh(), box.id)
    assert gone.told is False
    assert await scene.boxes() == []


async def test_a_client_that_the_provider_knows_no_more_is_told_and_a_test_mends_it(scene: Scene) -> None:
    box = await scene.connect()
    scene.provider.failing = (401, {"error": "invalid_client"})
    scene.machine.move(2 * HOUR)
    with pytest.raises(CadenzaError) as refused:
        await sent(scene, box)
    assert refused.value.code == "provider_client_refused"
    assert len(await requests(scene)) == 1
    scene.provider.failing = None
    assert (await test_stored_mailbox(scene.database, scene.actor, box.id)).ok
    assert (await state(scene, box)).state is MailboxState.OK
    assert await requests(scene) == []


def _another_session(scene: Scene) -> Actor:
    return replace(scene.actor, session_id=new_id())


def _no_session(scene: Scene) -> Actor:
    return replace(scene.actor, session_id=None)


@pytest.mark.asvs("10.1.2", "10.2.1")
@pytest.mark.parametrize("other", [_another_session, _no_session])
async def test_an_answer_in_another_session_is_refused_and_lost(
    scene: Scene, other: Callable[[Scene], Actor]
) -> None:
    back = scene.provider.consent(await scene.begin())
    for actor in (other(scene), scene.actor):  # after the first try it is gone for the right one too
        with pytest.raises(CadenzaError) as refused:
            await scene.finish(back, actor=actor)
        assert refused.value.code == "sign_on_refused"
    assert await scene.boxes() == []


@pytest.mark.asvs("10.1.2", "10.2.1", "8.2.2")
async def test_an_answer_in_another_workspace_is_refused(scene: Scene) -> None:
    async with scene.database.installation() as session:
        other = (
            await session.execute(
                text(
                    "insert into workspaces (id, name, slug, created_at) values (gen_random_uuid(), 'x', 'x', now()) returning id"
                )
            )
        ).scalar_one()
    back = scene.provider.consent(await scene.begin())
    with pytest.raises(CadenzaError) as refused:
        await scene.finish(back, actor=replace(scene.actor, workspace_id=other))
    assert refused.value.code == "sign_on_refused"
    async with scene.database.unit(other) as unit:
        assert await unit.session.scalar(text("select count(*) from mailboxes")) == 0


@pytest.mark.asvs("10.1.2", "10.2.1", "10.2.2")
async def test_a_state_or_a_code_of_somebody_else_or_used_before_is_refused(scene: Scene) -> None:
    used = scene.provider.consent(await scene.begin())
    await scene.finish(used)
    one, two = [scene.provider.consent(await scene.begin()) for _ in range(2)]
    late = scene.provider.consent(await scene.begin())
    attacks = [
        used,
        {"state": "made up", "code": "made up"},
        one | {"code": two["code"]},  # PKCE: the verifier of another attempt
        two | {"code": "made up", "state": two["state"]},
        scene.provider.consent(await scene.begin()) | {"iss": "https://evil.example"},
    ]
    for back in attacks:
        with pytest.raises(CadenzaError) as refused:
            await scene.finish(back)
        assert refused.value.code == "sign_on_refused", back
    scene.machine.move(timedelta(minutes=11))
    with pytest.raises(CadenzaError) as refused:
        await scene.finish(late)
    assert refused.value.code == "sign_on_refused"
    assert len(await scene.boxes()) == 1


@pytest.mark.asvs("9.1.2", "10.5.1", "10.5.3", "10.5.4")
@pytest.mark.parametrize(
    "token",
    [
        lambda p, c: p.unsigned(c),
        lambda p, c: p.by_public_key(c),
        lambda p, c: p.sign(c | {"nonce": "replayed"}),
        lambda p, c: p.sign(c | {"iss": "https://evil.example"}),
        lambda p, c: p.sign(c | {"aud": "somebody else"}),
        lambda p, c: p.sign(c | {"email_verified": False}),
        lambda p, c: p.sign({k: v for k, v in c.items() if k != "email"}),
        lambda p, c: p.sign(c | {"email": ["anna@north.example"]}),
    ],
)
async def test_an_id_token_that_is_not_quite_right_connects_nothing(scene: Scene, token: Any) -> None:
    scene.provider.token = token
    with pytest.raises(CadenzaError) as refused:
        await scene.connect()
    assert refused.value.code == "sign_on_refused"
    assert await scene.boxes() == []


async def test_another_address_than_the_one_that_was_meant_keeps_nothing(scene: Scene) -> None:
    scene.provider.address = BEN
    with pytest.raises(CadenzaError) as differs:
        await scene.connect(address=ANNA)
    assert differs.value.code == "address_differs"
    assert BEN in differs.value.message
    assert ANNA in differs.value.message
    assert await scene.boxes() == []


async def test_who_says_no_or_leaves_the_mail_out_connects_nothing(scene: Scene) -> None:
    back = scene.provider.consent(await scene.begin())
    with pytest.raises(CadenzaError) as denied:
        await scene.finish({"state": back["state"], "error": "access_denied"})
    assert denied.value.code == "consent_denied"
    back = scene.provider.consent(await scene.begin())
    with pytest.raises(CadenzaError) as odd:
        await scene.finish({"state": back["state"], "error": "server_error<script>"})
    assert odd.value.code == "sign_on_refused"
    assert "<" not in odd.value.message
    scene.provider.granted = "openid email"
    with pytest.raises(CadenzaError) as partly:
        await scene.connect()
    assert partly.value.code == "consent_incomplete"
    assert await scene.boxes() == []


@pytest.mark.parametrize("without", ["access_token", "refresh_token", "id_token"])
async def test_an_answer_without_one_of_the_tokens_connects_nothing(scene: Scene, without: str) -> None:
    scene.provider.without = without
    with pytest.raises(CadenzaError) as refused:
        await scene.connect()
    assert refused.value.code == "sign_on_refused"
    assert await scene.boxes() == []


@pytest.mark.parametrize(
    "failing", [(500, "oops"), (200, "<html>"), (200, ["x"]), (400, {"error": "invalid_grant"})]
)
async def test_garbage_in_place_of_tokens_connects_nothing(scene: Scene, failing: tuple[int, Any]) -> None:
    asked = await scene.begin()
    scene.provider.failing = failing
    with pytest.raises(CadenzaError) as refused:
        await scene.finish(scene.provider.consent(asked))
    assert refused.value.code in {"sign_on_refused", "answer_unreadable"}
    assert await scene.boxes() == []


async def test_a_mailbox_whose_servers_stay_closed_is_not_kept(scene: Scene) -> None:
    asked = await scene.begin()
    scene.provider.seconds = 0  # tokens that are over at once
    with pytest.raises(CadenzaError) as closed:
        await scene.finish(scene.provider.consent(asked))
    assert closed.value.code == "mailbox_closed"
    assert "SMTP" in closed.value.message
    assert "IMAP" in closed.value.message
    assert await scene.boxes() == []


@pytest.mark.asvs("6.2.3", "7.5.1", "8.3.1")
async def test_connecting_and_disconnecting_need_the_right_and_a_fresh_proof(scene: Scene) -> None:
    box = await scene.connect()
    stale = replace(scene.actor, proved_at=None)
    for role in (Role.MANAGER, Role.REP, Role.READ_ONLY):
        other = replace(scene.actor, role=role)
        with pytest.raises(CadenzaError) as refused:
            await scene.begin(actor=other)
        assert refused.value.code == "not_allowed"
        with pytest.raises(CadenzaError) as refused:
            await disconnect(scene.database, HERE, other, box.id)
        assert refused.value.code == "not_allowed"
    for act in (scene.begin(actor=stale), disconnect(scene.database, HERE, stale, box.id)):
        with pytest.raises(CadenzaError) as proof:
            await act
        assert proof.value.code == "proof_needed"
    assert await scene.boxes() == [box]


async def test_disconnecting_takes_the_token_back_and_forgets_it_also_without_the_provider(
    scene: Scene,
) -> None:
    box = await scene.connect()
    gone = await disconnect(scene.database, HERE, scene.actor, box.id)
    assert (gone.address, gone.kept, gone.told) == (ANNA, False, True)
    assert scene.provider.revoked == [scene.provider.made[0]]
    assert await scene.boxes() == []
    box = await scene.connect()
    scene.provider.redirect_to = "https://elsewhere.example/"
    gone = await disconnect(scene.database, HERE, scene.actor, box.id)
    assert (gone.kept, gone.told) == (False, False)
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        assert await unit.session.scalar(text("select count(*) from mailbox_grants")) == 0


async def test_a_password_in_place_of_the_consent_forgets_the_tokens(scene: Scene) -> None:
    box = await scene.connect()
    new = NewMailbox(address=ANNA, smtp=scene.post.smtp, imap=scene.post.imap, user=ANNA)
    async with scene.database.unit(scene.actor.workspace_id) as unit:
        assert (await add_mailbox(unit, scene.actor, new, "post")).id == box.id
        assert await unit.session.scalar(text("select count(*) from mailbox_grants")) == 0
    secret = await credentials(scene.database, box.workspace_id, box.id)
    assert (secret.password, secret.token) == ("post", "")


@pytest.mark.asvs("10.1.1", "11.3.3", "13.3.1", "16.2.5")
async def test_no_token_stands_in_any_row_line_or_text(
    scene: Scene, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    box = await scene.connect()
    scene.machine.move(2 * HOUR)
    await sent(scene, box)
    scene.provider.end_tokens()
    await read(scene, box)
    secret = await credentials(scene.database, box.workspace_id, box.id)
    scene.provider.take_back()
    assert await sent(scene, box) is Outcome.DEFERRED  # noticed on the wire, and nothing is lost
    assert (await state(scene, box)).state is MailboxState.BROKEN
    assert len(await requests(scene)) == 1
    with pytest.raises(CadenzaError) as over:
        await sent(scene, box)
    assert len(scene.provider.made) >= 4
    output = capsys.readouterr()
    said = [
        caplog.text,
        output.out,
        output.err,
        repr(secret),
        str(over.value),
        repr(over.value),
        *await _rows(scene.database, scene.actor),
    ]
    assert not [words for words in said if MARK in words]


async def _rows(database: Database, actor: Actor) -> list[str]:
    async with database.unit(actor.workspace_id) as unit:
        found: list[str] = []
        for name in Base.metadata.tables:
            if name != "installation":
                found += await unit.session.scalars(text(f"select t::text from {name} t"))
    return found


@pytest.mark.asvs("11.2.2", "11.1.1")
async def test_tokens_follow_a_new_key(scene: Scene) -> None:
    box = await scene.connect()
    both = SecretBox({"test": bytes(range(32)), "next": bytes(range(1, 33))})
    scene.database.secrets = both
    columns = [column for column in sealed_columns(Base.metadata) if column.table == "mailbox_grants"]
    assert {column.column for column in columns} == {"access_sealed", "refresh_sealed"}
    assert await seal_anew(scene.database, columns, "next") == 2
    scene.machine.move(2 * HOUR)
    assert await sent(scene, box) is Outcome.ACCEPTED
