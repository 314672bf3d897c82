"""Anna's LinkedIn and phone in the demo workspace, at the sandbox's own providers."""

from dataclasses import dataclass, field

from cadenza.channels.contracts import AccountProvider, ChannelAccount
from cadenza.channels.service import NewAccount, accounts, connect_account, hook_of
from cadenza.core.database import Database
from cadenza.core.http import Egress
from cadenza.sandbox.demo import demo_actor

LINKEDIN_ACCOUNT = "acc_sandbox_anna"
PHONE_ACCOUNT = "AC" + "5a" * 16
NUMBER, RINGS = "+493023125001", "+493023125002"
_PROFILE = "https://www.linkedin.com/in/anna-berger-nordwerk"
_NAME = "Anna Berger"


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """Ports of the two providers, and the keys that open them."""

    linkedin_port: int
    linkedin_key: str = field(repr=False)
    phone_port: int = 0
    phone_token: str = field(default="", repr=False)


async def connect_demo_accounts(database: Database, at: DemoAccounts, site: str | None) -> str:
    """Connect what is not connected yet; the address that the sandbox's Twilio asks when somebody calls, empty without one."""
    actor = await demo_actor(database)
    if actor is None:
        return ""
    here = Egress(this_machine=True)
    async with database.unit(actor.workspace_id) as unit:
        known = {each.channel for each in await accounts(unit, actor)}
    for new, key in _wanted(at):
        if new.channel not in known:
            await connect_account(database, here, actor, new, key, site=site)
    async with database.unit(actor.workspace_id) as unit:
        found = await accounts(unit, actor)
    return _voice_url(found, site)


def _wanted(at: DemoAccounts) -> tuple[tuple[NewAccount, str], ...]:
    linkedin = NewAccount(
        channel="linkedin", provider=AccountProvider.UNIPILE, name=_NAME, address=_PROFILE, reference=LINKEDIN_ACCOUNT,
        base_url=f"http://127.0.0.1:{at.linkedin_port}",
    )  # fmt: skip
    phone = NewAccount(
        channel="phone", provider=AccountProvider.TWILIO, name=_NAME, address=NUMBER, reference=PHONE_ACCOUNT, rings=RINGS,
        base_url=f"http://127.0.0.1:{at.phone_port}",
    )  # fmt: skip
    return (linkedin, at.linkedin_key), (phone, at.phone_token)


def _voice_url(found: list[ChannelAccount], site: str | None) -> str:
    ours = [each for each in found if each.reference == PHONE_ACCOUNT]
    return hook_of(site, ours[0]) if ours and site else ""
