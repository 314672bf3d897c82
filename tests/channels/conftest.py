"""An installation that is registered with a mail provider on loopback, and a member who may connect mailboxes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest

from cadenza.channels import oauth, providers
from cadenza.channels.contracts import Mailbox
from cadenza.channels.oauth import Connected
from cadenza.channels.service import mailboxes
from cadenza.core.clock import ManualClock
from cadenza.core.database import Database
from cadenza.core.http import Egress
from cadenza.core.ids import new_id
from cadenza.core.settings import settings
from cadenza.identity.contracts import Actor
from tests.servers.mail_provider import MailProvider, mail_provider, token_post
from tests.servers.openid_provider import CLIENT_ID, SECRET
from tests.support.post import Post, post_office

HERE = Egress(this_machine=True)
SITE = "https://cadenza.example"
ANNA, BEN = "anna@north.example", "ben@south.example"


@pytest.fixture
async def provider(machine: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MailProvider]:
    async with mail_provider(MailProvider(machine)) as made:
        for name in ("google", "microsoft"):
            monkeypatch.setenv(f"CADENZA_{name.upper()}_ISSUER", made.issuer)
            monkeypatch.setenv(f"CADENZA_{name.upper()}_CLIENT_ID", CLIENT_ID)
            monkeypatch.setenv(f"CADENZA_{name.upper()}_CLIENT_SECRET", SECRET)
        monkeypatch.setenv("CADENZA_SANDBOX", "true")  # this machine may be asked
        settings.cache_clear()
        yield made
    settings.cache_clear()


@pytest.fixture
async def post(tmp_path: Path, world: ManualClock) -> AsyncIterator[Post]:
    async with post_office(tmp_path, world, [ANNA, BEN]) as made:
        yield made


@dataclass
class Scene:
    """The provider, its post, and who connects mailboxes there."""

    database: Database
    provider: MailProvider
    post: Post
    actor: Actor
    machine: ManualClock

    async def begin(self, *, address: str = "", actor: Actor | None = None, key: str = "google") -> str:
        return await oauth.begin(self.database, HERE, actor or self.actor, key, site=SITE, address=address)

    async def finish(self, back: dict[str, str], *, actor: Actor | None = None) -> Connected:
        return await oauth.finish(
            self.database, HERE, actor or self.actor, site=SITE, state=back["state"], code=back.get("code", ""),
            error=back.get("error", ""), issuer=back.get("iss"),
        )  # fmt: skip

    async def connect(self, *, address: str = "", key: str = "google") -> Mailbox:
        asked = await self.begin(address=address, key=key)
        return (await self.finish(self.provider.consent(asked))).mailbox

    async def boxes(self) -> list[Mailbox]:
        async with self.database.unit(self.actor.workspace_id) as unit:
            return await mailboxes(unit)

    def fresh(self) -> Actor:
        """The same session, after a password was given once more."""
        self.actor = replace(self.actor, proved_at=self.machine.now())
        return self.actor


def asked_for(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.fixture
async def scene(
    database: Database, workspace: Actor, provider: MailProvider, post: Post, machine: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Scene]:  # fmt: skip
    async with token_post(post, provider.lets_in) as (smtp, imap):
        moved = {
            key: replace(preset, smtp=smtp, imap=imap)
            for key, preset in providers.PRESETS.items()
            if preset.consent
        }
        monkeypatch.setattr(providers, "PRESETS", MappingProxyType({**providers.PRESETS, **moved}))
        actor = replace(workspace, session_id=new_id(), proved_at=machine.now())
        yield Scene(database, provider, post, actor, machine)


@pytest.fixture(autouse=True)
def _plain_settings() -> Iterator[None]:
    yield
    settings.cache_clear()
