"""Touches on LinkedIn and by phone: claimed like letters, with an account in the place of a mailbox."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cadenza.campaigns.contracts import SCRIPT
from cadenza.campaigns.service import compiled
from cadenza.channels.contracts import ChannelAccount
from cadenza.core.unit import Unit
from cadenza.engine.accounts import AccountChoice, Wanted, choose_accounts
from cadenza.engine.content import stored_gates, template_of, variant_of
from cadenza.engine.contracts import GateResult, TouchState
from cadenza.engine.detours import instead, wait
from cadenza.engine.gate import Facts, gate
from cadenza.engine.ids import touch_id
from cadenza.engine.planning import decided

if TYPE_CHECKING:
    from cadenza.engine.claim import Candidate, Outcome


async def claim_errands(
    unit: Unit,
    passed: Sequence[tuple["Candidate", Facts]],
    outcome: "Outcome",
    *,
    busy: frozenset[UUID],
    worker: UUID,
    lease_until: datetime,
) -> set[UUID]:
    """Fill ``outcome`` with a touch for each that an account does now; the campaigns in which somebody waits for one."""
    wanted = [Wanted(c.due, c.way.channel, c.way.action) for c, _ in passed]
    choices = await choose_accounts(unit, wanted, busy)
    for candidate, before in passed:
        choice = choices[candidate.due.id]
        facts = replace(
            before, sender_free=choice.account is not None, sender_why=choice.why, sender_until=choice.until
        )
        results = gate(facts)
        if choice.account is None:
            _not_now(candidate, choice, results[-1], outcome, facts.now)
            continue
        row = _row(unit, candidate, choice.account, results, outcome)
        outcome.touches.append(row | {"worker": worker, "lease_until": lease_until})
        outcome.advance.append({"id": candidate.due.id, "mailbox": None})
        outcome.decisions += [choice.decision] if choice.decision else []
    return {c.due.campaign_id for c, _ in passed if choices[c.due.id].soon}


def _not_now(
    candidate: "Candidate", choice: AccountChoice, answer: GateResult, outcome: "Outcome", now: datetime
) -> None:
    if choice.failing and instead(candidate, choice.why, outcome, now):
        return
    if not choice.soon:
        wait(candidate, answer, outcome)


def _row(
    unit: Unit, c: "Candidate", account: ChannelAccount, gates: Sequence[GateResult], outcome: "Outcome"
) -> dict[str, Any]:
    identity, way = touch_id(c.due.id, c.step.id), c.way
    variant, decision = variant_of(c)
    outcome.decisions += [decision] if decision else []
    outcome.decisions += decided(c.due.plan, c.due.id, c.step.id, c.due.contact_id)
    return {
        "workspace_id": unit.workspace_id, "id": identity, "contact_id": c.due.contact_id, "account_id": c.due.account_id,
        "enrolment_id": c.due.id, "campaign_id": c.due.campaign_id, "step": c.step.id, "variant": variant or None,
        "channel": way.channel, "action": way.action, "mailbox_id": None, "channel_account_id": account.id,
        "sender": account.name, "recipient": c.recipient.reached_at(way.channel), "subject": "",
        "text": _text(c, variant, account), "html": None, "track_opens": False, "track_clicks": False,
        "message_id": f"{identity.hex}@{way.channel}", "reference_ids": [], "state": TouchState.CLAIMED.value,
        "due_at": c.due.due_at, "claimed_at": unit.world.now(), "attempts": 0, "looked_up": 0, "needs_copy": False,
        "gates": stored_gates(c, gates),
    }  # fmt: skip


def _text(c: "Candidate", variant: str, account: ChannelAccount) -> str:
    """What is written, or said: the script of a call stands where a message has its words."""
    name = SCRIPT if c.way.script is not None else variant
    if not name:
        return ""
    template = template_of(compiled(c.due.version_id, c.definition), c, name)
    sender = {
        "name": account.name,
        "address": account.address,
        "signature": account.name,
        "signature_html": "",
    }
    return template.render({**c.recipient.facts, "sender": sender}).text
