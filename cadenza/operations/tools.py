"""What an assistant may ask about the installation's health."""

from datetime import datetime

from cadenza.identity.contracts import Action
from cadenza.identity.service import authorize
from cadenza.operations.doctor import last_examination
from cadenza.operations.sending import hold_of
from cadenza.web.tools import Call, Does, Given, Outside, Told, Toolbox

TOOLS = Toolbox()


class AllHealth(Given):
    """No arguments."""


class CheckTold(Told):
    id: str
    status: str
    blocking: bool
    found: Outside
    fix: str


class HealthTold(Told):
    """``at`` is when the checks were made; null before the first look."""

    at: datetime | None
    sending_held: bool
    held_because: str | None
    checks: list[CheckTold]


@TOOLS.add(Does.READS, Action.READ_HEALTH, "Health")
async def read_health(call: Call, given: AllHealth) -> HealthTold:  # noqa: ARG001 - of every tool
    """Every check of the installation as it was last made, and whether sending is held; for owners and operators."""
    authorize(call.actor, Action.READ_HEALTH)
    last, hold = await last_examination(call.database), await hold_of(call.database)
    return HealthTold(
        at=last.at if last else None,
        sending_held=hold is not None,
        held_because=hold.reason if hold else None,
        checks=[CheckTold.model_validate(each) for each in last.checks] if last else [],
    )
