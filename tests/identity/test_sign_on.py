"""Signing on by a provider: who is believed, and every way in which somebody could lie."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import text

from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Egress
from cadenza.identity.contracts import Actor, Role, Stage
from cadenza.identity.service import create_workspace
from cadenza.identity.sessions import begin_session, signed_in
from cadenza.identity.sign_on import Arrived, begin, configure, disconnect, finish, is_connected, sign_on
from tests.identity.conftest import PASSWORD, SETTINGS, Team
from tests.servers.openid_provider import CLIENT_ID, SECRET, Provider, openid_provider

HERE = Egress(this_machine=True)
SITE = "https://cadenza.example"


@pytest.fixture
async def provider(machine: ManualClock) -> AsyncIterator[Provider]:
    async with openid_provider(machine) as made:
        yield made


@pytest.fixture
async def ready(team: Team, provider: Provider) -> Actor:
    """The owner, fresh, in a workspace whose provider is configured; their account is connected."""
    owner = await team.actor(Role.OWNER)
    await configure(team.database, HERE, owner, issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    await _connect(team.database, provider, owner)
    provider.asked.clear()
    return owner


async def _connect(database: Database, provider: Provider, actor: Actor) -> Arrived:
    leaving = await begin(database, HERE, "", site=SITE, after="/settings/account", actor=actor)
    back = provider.consent(leaving.address)
    return await _finish(database, leaving.browser, back, actor=actor)


async def _finish(
    database: Database, browser: str, back: dict[str, str], *, actor: Actor | None = None, **changed: str
) -> Arrived:
    back = back | changed
    return await finish(
        database, HERE, site=SITE, state=back["state"], code=back["code"], issuer=back.get("iss"), browser=browser, actor=actor
    )  # fmt: skip


async def _signed_on(database: Database, provider: Provider) -> Arrived:
    leaving = await begin(database, HERE, "north", site=SITE, after="/inbox")
    return await _finish(database, leaving.browser, provider.consent(leaving.address))


@pytest.mark.asvs("10.1.2", "10.2.1", "10.2.3")
async def test_who_connected_their_account_signs_on_and_only_who_they_are_is_asked(
    database: Database, ready: Actor, provider: Provider
) -> None:
    leaving = await begin(database, HERE, "north", site=SITE, after="/inbox")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(leaving.address).query).items()}
    assert asked["scope"] == "openid"
    assert asked["redirect_uri"] == f"{SITE}/sign-on/callback"
    assert SECRET not in leaving.address
    arrived = await _finish(database, leaving.browser, provider.consent(leaving.address))
    assert (arrived.user_id, arrived.workspace_id, arrived.next) == (
        ready.user_id,
        ready.workspace_id,
        "/inbox",
    )
    token = await begin_session(
        database,
        arrived.user_id,
        source="192.0.2.1",
        agent="",
        way="provider",
        workspace_id=arrived.workspace_id,
    )
    found = await signed_in(database, token, SETTINGS)
    assert found is not None
    assert (found.stage, found.actor.member_id) == (Stage.OPEN, ready.member_id)
    assert {form.get("grant_type") for _, path, form in provider.asked if path == "/token"} == {
        "authorization_code"
    }


def _signed(**changes: Any) -> Callable[[Provider, dict[str, Any]], str]:
    return lambda provider, claims: provider.sign(claims | changes)


def _without(name: str) -> Callable[[Provider, dict[str, Any]], str]:
    return lambda provider, claims: provider.sign({k: v for k, v in claims.items() if k != name})


def _shifted(name: str, seconds: int) -> Callable[[Provider, dict[str, Any]], str]:
    return lambda provider, claims: provider.sign(claims | {name: claims["iat"] + seconds})


def _tampered(provider: Provider, claims: dict[str, Any]) -> str:
    head, _, signature = provider.sign(claims).split(".")
    body = provider.sign(claims | {"sub": "subject-2"}).split(".")[1]
    return f"{head}.{body}.{signature}"


ATTACKS: list[Any] = [
    pytest.param(lambda p, c: p.unsigned(c), marks=pytest.mark.asvs("9.1.2", "6.8.2"), id="alg none"),
    pytest.param(lambda p, c: p.by_public_key(c), marks=pytest.mark.asvs("9.1.2"), id="HS by public key"),
    pytest.param(
        lambda p, c: p.sign(c, alg="RS512"), marks=pytest.mark.asvs("9.1.2"), id="another algorithm"
    ),
    pytest.param(
        lambda p, c: p.sign(c, key=RSAKey.generate_key(2048)),
        marks=pytest.mark.asvs("6.8.2"),
        id="another key",
    ),
    pytest.param(lambda p, c: p.sign(c, kid="two"), marks=pytest.mark.asvs("6.8.2"), id="unknown key"),
    pytest.param(_tampered, marks=pytest.mark.asvs("6.8.2"), id="altered"),
    pytest.param(lambda _, __: "not.a.token", marks=pytest.mark.asvs("6.8.2"), id="no token"),
    pytest.param(lambda _, __: "", marks=pytest.mark.asvs("6.8.2"), id="empty"),
    pytest.param(lambda p, c: p.sign(c, typ="at+jwt"), marks=pytest.mark.asvs("9.2.2"), id="an access token"),
    pytest.param(
        lambda p, c: p.sign(c, typ="logout+jwt"), marks=pytest.mark.asvs("9.2.2"), id="a logout token"
    ),
    pytest.param(
        _signed(aud="somebody else"), marks=pytest.mark.asvs("9.2.3", "10.5.4"), id="foreign audience"
    ),
    pytest.param(
        _signed(aud=[CLIENT_ID, "other"]), marks=pytest.mark.asvs("10.5.4"), id="two audiences, no azp"
    ),
    pytest.param(_signed(azp="other"), marks=pytest.mark.asvs("10.5.4"), id="given to another"),
    pytest.param(_without("aud"), marks=pytest.mark.asvs("9.2.3"), id="no audience"),
    pytest.param(_signed(iss="https://evil.example"), marks=pytest.mark.asvs("10.5.3"), id="swapped issuer"),
    pytest.param(_signed(nonce="replayed"), marks=pytest.mark.asvs("10.5.1"), id="another nonce"),
    pytest.param(_without("nonce"), marks=pytest.mark.asvs("10.5.1"), id="no nonce"),
    pytest.param(_shifted("exp", -61), marks=pytest.mark.asvs("9.2.1"), id="over"),
    pytest.param(_without("exp"), marks=pytest.mark.asvs("9.2.1"), id="no end"),
    pytest.param(_signed(exp="tomorrow"), marks=pytest.mark.asvs("9.2.1"), id="an end in words"),
    pytest.param(_shifted("iat", 120), marks=pytest.mark.asvs("9.2.1"), id="made in the future"),
    pytest.param(_shifted("iat", -700), marks=pytest.mark.asvs("9.2.1"), id="made long ago"),
    pytest.param(_shifted("nbf", 120), marks=pytest.mark.asvs("9.2.1"), id="not valid yet"),
    pytest.param(_signed(sub=""), marks=pytest.mark.asvs("6.8.1"), id="nobody"),
    pytest.param(_signed(sub=7), marks=pytest.mark.asvs("6.8.1"), id="a subject of another type"),
    pytest.param(_without("sub"), marks=pytest.mark.asvs("6.8.1"), id="no subject"),
]


@pytest.mark.parametrize("token", ATTACKS)
async def test_a_token_that_is_not_quite_right_is_refused(
    database: Database, ready: Actor, provider: Provider, token: Callable[[Provider, dict[str, Any]], str]
) -> None:
    assert (await _signed_on(database, provider)).user_id == ready.user_id
    provider.token = token
    with pytest.raises(CadenzaError) as refused:
        await _signed_on(database, provider)
    assert refused.value.code == "sign_on_refused"
    assert refused.value.kind is Kind.UNAUTHENTICATED


@pytest.mark.asvs("6.8.1")
async def test_the_same_address_at_a_provider_opens_nobodys_account(
    database: Database, ready: Actor, provider: Provider
) -> None:
    provider.subject = "subject-2"
    provider.claims = {"email": "owner@north.example", "email_verified": True}
    with pytest.raises(CadenzaError) as unknown:
        await _signed_on(database, provider)
    assert unknown.value.code == "not_connected"
    assert ready


@pytest.mark.asvs("6.8.1", "10.5.3")
async def test_the_same_subject_at_another_issuer_or_in_another_workspace_is_somebody_else(
    database: Database, ready: Actor, provider: Provider, machine: ManualClock
) -> None:
    workspace, evil = await create_workspace(
        database, "Evil", owner_email="evil@evil.example", owner_name="Eve", password=PASSWORD
    )
    owner = replace(
        ready, workspace_id=workspace.id, member_id=evil.id, user_id=evil.user_id, proved_at=machine.now()
    )
    async with openid_provider(machine) as other:
        await configure(database, HERE, owner, issuer=other.issuer, client_id=CLIENT_ID, secret=SECRET)
        leaving = await begin(database, HERE, "evil", site=SITE)
        with pytest.raises(CadenzaError) as unknown:
            await _finish(database, leaving.browser, other.consent(leaving.address))
        assert unknown.value.code == "not_connected"
    await configure(database, HERE, owner, issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    leaving = await begin(database, HERE, "evil", site=SITE)
    with pytest.raises(CadenzaError) as unknown:
        await _finish(database, leaving.browser, provider.consent(leaving.address))
    assert unknown.value.code == "not_connected"


@pytest.mark.asvs("10.1.2", "10.2.1", "10.2.2")
async def test_an_answer_for_another_browser_or_another_attempt_is_refused(
    database: Database, ready: Actor, provider: Provider, machine: ManualClock
) -> None:
    mine = await begin(database, HERE, "north", site=SITE)
    back = provider.consent(mine.address)
    cases: list[tuple[str, dict[str, str]]] = [
        ("another browser's cookie", back),
        (mine.browser, back),  # the state is gone: it was tried above
    ]
    for browser, answer in cases:
        with pytest.raises(CadenzaError) as refused:
            await _finish(database, browser, answer)
        assert refused.value.code == "sign_on_refused"
    for changed in ({"state": "made up"}, {"iss": "https://evil.example"}, {"code": "made up"}, {"code": ""}):
        leaving = await begin(database, HERE, "north", site=SITE)
        with pytest.raises(CadenzaError) as refused:
            await _finish(database, leaving.browser, provider.consent(leaving.address), **changed)
        assert refused.value.code == "sign_on_refused", changed
    one, two = [await begin(database, HERE, "north", site=SITE) for _ in range(2)]
    stolen = provider.consent(one.address)["code"]
    with pytest.raises(CadenzaError) as refused:  # a code of another attempt: its PKCE verifier differs
        await _finish(database, two.browser, provider.consent(two.address), code=stolen)
    assert refused.value.code == "sign_on_refused"
    late = await begin(database, HERE, "north", site=SITE)
    back = provider.consent(late.address)
    machine.move(timedelta(minutes=11))
    with pytest.raises(CadenzaError) as refused:
        await _finish(database, late.browser, back)
    assert refused.value.code == "sign_on_refused"
    assert ready


@pytest.mark.asvs("10.1.2")
async def test_an_account_is_connected_only_by_who_began_it(
    database: Database, ready: Actor, provider: Provider, team: Team
) -> None:
    rep = await team.actor(Role.REP)
    provider.subject = "mallory"
    leaving = await begin(database, HERE, "", site=SITE, actor=rep)
    back = provider.consent(leaving.address)
    for other in (ready, None):
        with pytest.raises(CadenzaError) as refused:
            await _finish(database, leaving.browser, back, actor=other)
        assert refused.value.code == "sign_on_refused"
    provider.subject = "subject-1"
    with pytest.raises(CadenzaError) as taken:
        await _connect(database, provider, rep)
    assert taken.value.code == "connected_to_another"
    async with database.unit(rep.workspace_id) as unit:
        assert not await is_connected(unit, rep)
        assert await is_connected(unit, ready)
        await disconnect(unit, ready)
    with pytest.raises(CadenzaError) as gone:
        await _signed_on(database, provider)
    assert gone.value.code == "not_connected"


@pytest.mark.asvs("6.3.4", "6.4.3")
async def test_a_provider_does_not_skip_the_second_factor(
    database: Database, ready: Actor, provider: Provider, machine: ManualClock
) -> None:
    async with database.installation() as session:
        await session.execute(
            text("insert into factors values (:user, 'k.x', :now, 0)"),
            {"user": ready.user_id, "now": machine.now()},
        )
    arrived = await _signed_on(database, provider)
    token = await begin_session(database, arrived.user_id, source="", agent="", way="provider")
    found = await signed_in(database, token, SETTINGS)
    assert found is not None
    assert found.stage is Stage.CODE


@pytest.mark.asvs("10.2.2", "15.3.2", "1.3.6")
@pytest.mark.parametrize(
    ("description", "code"),
    [
        ({"issuer": "https://evil.example"}, "issuer_differs"),
        ({"token_endpoint": None}, "sign_on_refused"),
        ({"token_endpoint": "http://10.0.0.1/token"}, "destination_refused"),
        ({"jwks_uri": "file:///etc/passwd"}, "destination_refused"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "destination_refused"),
    ],
)
async def test_a_provider_that_describes_another_or_an_inner_address_is_not_kept(
    database: Database, team: Team, provider: Provider, description: dict[str, Any], code: str
) -> None:
    owner = await team.actor(Role.OWNER)
    provider.description = description
    with pytest.raises(CadenzaError) as refused:
        await configure(database, HERE, owner, issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    assert refused.value.code == code
    async with database.unit(owner.workspace_id) as unit:
        assert await sign_on(unit) is None


@pytest.mark.asvs("15.3.2", "1.3.6")
async def test_no_redirect_is_followed_and_no_inner_provider_is_asked(
    database: Database, team: Team, provider: Provider
) -> None:
    owner = await team.actor(Role.OWNER)
    provider.redirect_to = f"{provider.issuer}/elsewhere"
    with pytest.raises(CadenzaError) as refused:
        await configure(database, HERE, owner, issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    assert refused.value.code == "provider_unknown"
    assert [path for _, path, _ in provider.asked] == ["/.well-known/openid-configuration"]
    with pytest.raises(CadenzaError) as inner:
        await configure(database, Egress(), owner, issuer=provider.issuer, client_id=CLIENT_ID, secret=SECRET)
    assert inner.value.code == "destination_refused"


@pytest.mark.asvs("10.1.1", "11.3.2")
async def test_the_clients_secret_is_sealed_and_only_owners_with_fresh_proof_change_it(
    database: Database, ready: Actor, provider: Provider, team: Team
) -> None:
    async with database.unit(ready.workspace_id) as unit:
        stored = (await unit.session.execute(text("select sign_on::text from sign_on"))).scalar_one()
    assert SECRET not in stored
    for actor in (
        await team.actor(Role.OPERATOR),
        await team.actor(Role.MANAGER),
        replace(ready, proved_at=None),
    ):
        with pytest.raises(CadenzaError) as refused:
            await configure(database, HERE, actor, issuer=provider.issuer, client_id="x", secret="x")
        assert refused.value.kind is Kind.NOT_ALLOWED
