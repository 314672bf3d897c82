"""An account that stops working, is restricted by its network or has to wait; and one that works again."""

from datetime import timedelta
from uuid import UUID

from cadenza.channels.accounts_store import change_account
from cadenza.channels.contracts import AccountState, ChannelHealth
from cadenza.core.ids import new_id
from cadenza.core.unit import Unit
from cadenza.ledger.contracts import NewWorkItem, WorkKind
from cadenza.ledger.service import finish_work_items, open_work_items

_GRAVER = {
    AccountState.BROKEN: (AccountState.BROKEN, AccountState.RESTRICTED),
    AccountState.RESTRICTED: (AccountState.RESTRICTED,),
}
_LONGEST_WAIT = timedelta(days=7)
_PAGE = "/senders/accounts"


async def stop_account(
    unit: Unit, account_id: UUID, state: AccountState, title: str, why: str, *, touch_id: UUID | None = None
) -> None:
    """Nothing goes out by it from now on, and whoever manages senders is told: once, however often the provider says so (M23).

    A restriction stays one until a person says that it is over, whatever else is noticed of the account.
    """
    if not await change_account(
        unit, account_id, unless=_GRAVER[state], state=state.value, state_reason=why[:500]
    ):
        return
    item = NewWorkItem(
        kind=WorkKind.SENDER_BROKEN, key=f"{_keys(account_id)}{new_id()}", title=title, detail=why, queue="operator",
        due_at=unit.world.now(), touch_id=touch_id, address=f"{_PAGE}/{account_id}",
    )  # fmt: skip
    await open_work_items(unit, [item])


async def mend_account(unit: Unit, account_id: UUID, *, by_person: bool) -> None:
    """It works, and goes on; what was asked for because of it is done. Only a person ends a restriction."""
    kept = () if by_person else (AccountState.RESTRICTED,)
    values = {"state": AccountState.OK.value, "state_reason": "", "wait_until": None}
    if await change_account(unit, account_id, unless=kept, **values):
        await finish_account_requests(unit, account_id)


async def let_wait(unit: Unit, account_id: UUID, seconds: float) -> None:
    """Its provider wants to be left alone for so long: until then nothing is asked for (429 and Retry-After)."""
    span = min(timedelta(seconds=max(1.0, seconds)), _LONGEST_WAIT)
    await change_account(unit, account_id, wait_until=unit.machine.now() + span)


async def note_health(
    unit: Unit, account_id: UUID, name: str, found: ChannelHealth, *, by_person: bool
) -> None:
    """What its provider says of it now: it goes on, or it stops. What only cannot be asked now changes nothing."""
    if found.ok:
        await mend_account(unit, account_id, by_person=by_person)
    elif found.state in _GRAVER:
        await stop_account(unit, account_id, found.state, f"{name} cannot be used", found.detail)


async def finish_account_requests(unit: Unit, account_id: UUID) -> None:
    """Nobody is asked to mend it any more."""
    await finish_work_items(unit, keys=_keys(account_id))


def _keys(account_id: UUID) -> str:
    return f"account/{account_id}/"
