"""Whether a campaign's senders are there: asked of the room that has them, which campaigns may not import."""

from collections.abc import Awaitable, Callable, Mapping

from cadenza.campaigns.contracts import Definition
from cadenza.core.unit import Unit

SenderCheck = Callable[[Unit, Definition], Awaitable[Mapping[str, str]]]
"""From what is wrong (``senders.pool``, or the address of a mailbox) to words; empty when every sender is there."""

_checks: list[SenderCheck] = []


def check_senders_by(check: SenderCheck) -> SenderCheck:
    """Be asked about the senders of each campaign file that is applied."""
    if check not in _checks:
        _checks.append(check)
    return check


async def sender_faults(unit: Unit, definition: Definition) -> dict[str, str]:
    """What a launch would refuse about the senders: by place, in words; a draft is kept although."""
    found: dict[str, str] = {}
    for check in _checks:
        found |= await check(unit, definition)
    return found
