"""The one table of role and action. What is not in it is denied."""

from cadenza.core.errors import CadenzaError, Kind
from cadenza.identity.contracts import Action, Actor, Role

_EVERYTHING = frozenset(Action)

RIGHTS: dict[Role, frozenset[Action]] = {
    Role.OWNER: _EVERYTHING,
    Role.MANAGER: _EVERYTHING
    - {
        Action.MANAGE_MEMBERS,
        Action.MANAGE_SENDERS,
        Action.MANAGE_INTEGRATIONS,
        Action.READ_HEALTH,
        Action.RELEASE_HOLD,
    },
    Role.REP: frozenset(
        {
            Action.READ,
            Action.EDIT_CONTACTS,
            Action.SUPPRESS,
            Action.ANSWER,
            Action.ASSIGN,
            Action.SETTLE_DOUBTS,
            Action.HOLD_TOUCHES,
        }
    ),
    Role.OPERATOR: frozenset(
        {
            Action.READ,
            Action.SUPPRESS,
            Action.SETTLE_DOUBTS,
            Action.HOLD_TOUCHES,
            Action.MANAGE_SENDERS,
            Action.MANAGE_MEMBERS,
            Action.MANAGE_INTEGRATIONS,
            Action.READ_AUDIT,
            Action.READ_HEALTH,
            Action.RELEASE_HOLD,
        }
    ),
    Role.READ_ONLY: frozenset({Action.READ}),
}


def may(role: Role, action: Action) -> bool:
    return action in RIGHTS.get(role, frozenset())


def authorize(actor: Actor, action: Action) -> None:
    """Raises ``CadenzaError`` (not allowed) unless the actor's role has the action."""
    if not may(actor.role, action):
        raise CadenzaError(
            "not_allowed",
            f"The role {actor.role.value} may not {action.value.replace('_', ' ')}.",
            Kind.NOT_ALLOWED,
            fix="Ask an owner of the workspace.",
        )
