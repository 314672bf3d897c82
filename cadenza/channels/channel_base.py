"""What every implementation of the protocol over an account has in common: its limits, and what follows from an answer."""

from dataclasses import dataclass
from uuid import UUID

from cadenza.channels.accounts_standing import let_wait, stop_account
from cadenza.channels.accounts_store import account_row, as_account
from cadenza.channels.channel_quota import capacity_of
from cadenza.channels.contracts import AccountState, Capacity, ChannelAccount, Errand, Outcome, WireReply
from cadenza.core.database import Database
from cadenza.core.http import AnswerLostError


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer of a provider means: for the errand, and for the account where ``state`` or ``wait`` (seconds) is set."""

    outcome: Outcome
    text: str = ""
    code: int | None = None
    wait: float | None = None
    state: AccountState | None = None


class AccountChannel:
    """An account and the database in which its limits and its state live."""

    def __init__(self, database: Database, account: ChannelAccount) -> None:
        self.account = account
        self._database = database

    async def capacity(self, action: str) -> Capacity:
        async with self._database.unit(self.account.workspace_id) as unit:
            now = as_account(await account_row(unit, self.account.id))
            return await capacity_of(unit, now, action)

    async def _stands_still(self, errand: Errand) -> WireReply | None:
        """The account as it is now, not as it was when it was opened: one that was stopped meanwhile does nothing."""
        async with self._database.unit(self.account.workspace_id) as unit:
            self.account = as_account(await account_row(unit, self.account.id))
            now = unit.machine.now()
        waits = self.account.wait_until
        if waits is not None and waits > now:
            left = (waits - now).total_seconds()
            text = "The provider asked us to wait."
            return WireReply(errand.touch_id, Outcome.DEFERRED, "account", text=text, retry_after=left)
        if self.account.can_send:
            return None
        why = self.account.state_reason or self.account.state.value
        return WireReply(errand.touch_id, Outcome.DEFERRED, "account", text=why)

    async def _follow(self, verdict: Verdict, touch_id: UUID | None = None) -> None:
        """Stop or wait, in the database, before anybody asks for the next errand."""
        if verdict.state is None and verdict.wait is None:
            return
        async with self._database.unit(self.account.workspace_id) as unit:
            if verdict.state is not None:
                title = f"{self.account.name} cannot be used"
                await stop_account(
                    unit, self.account.id, verdict.state, title, verdict.text, touch_id=touch_id
                )
            if verdict.wait is not None:
                await let_wait(unit, self.account.id, verdict.wait)

    def _reply(self, errand: Errand, stage: str, verdict: Verdict, reference: str | None = None) -> WireReply:
        return WireReply(
            errand.touch_id, verdict.outcome, stage, verdict.code, text=verdict.text[:500], reference=reference,
            retry_after=verdict.wait,
        )  # fmt: skip


def lost(wrong: Exception, *, harmless: bool) -> Verdict:
    """A request without an answer: in doubt once it was begun, unless it changes nothing over there."""
    doubt = isinstance(wrong, AnswerLostError) and not harmless
    return Verdict(Outcome.IN_DOUBT if doubt else Outcome.DEFERRED, str(wrong))
