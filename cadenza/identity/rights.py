"""The one table of role and action. What is not in it is denied."""

from datetime import timedelta

from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Action, Actor, Origin, Role, Scope

_EVERYTHING = frozenset(Action)
_FRESH = timedelta(minutes=10)

RIGHTS: dict[Role, frozenset[Action]] = {
    Role.OWNER: _EVERYTHING,
    Role.MANAGER: _EVERYTHING
    - {
        Action.MANAGE_MEMBERS,
        Action.MANAGE_SENDERS,
        Action.MANAGE_INTEGRATIONS,
        Action.MANAGE_SIGN_IN,
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
    """Raises ``CadenzaError`` (not allowed) unless the actor's role, and the scope of their token, have the action."""
    if actor.scopes is not None and action not in actor.scopes:
        raise CadenzaError(
            "not_allowed",
            f"This token may not {action.words}.",
            Kind.NOT_ALLOWED,
            fix="Make a token with a wider scope.",
        )
    if not may(actor.role, action):
        raise CadenzaError(
            "not_allowed",
            f"The role {actor.role.words} may not {action.words}.",
            Kind.NOT_ALLOWED,
            fix="Ask an owner of the workspace.",
        )


def require_write(actor: Actor) -> None:
    """For what everybody may change of their own, so that no right is asked: a token must at least be one that writes."""
    if actor.scopes is not None and not actor.scopes & Scope.WRITE.actions - Scope.READ.actions:
        raise CadenzaError(
            "not_allowed",
            "This token may only read.",
            Kind.NOT_ALLOWED,
            fix="Make a token with the scope write.",
        )


def may_give(actor: Actor, *roles: Role) -> None:
    """Nobody but an owner makes or changes owners: an operator could make themself one otherwise."""
    if Role.OWNER in roles and actor.role is not Role.OWNER:
        raise CadenzaError("not_allowed", "Only an owner can make or change an owner.", Kind.NOT_ALLOWED)


def require_fresh(unit: Unit, actor: Actor) -> None:
    """Raises ``proof_needed`` unless this session gave a password or code within ten minutes (ASVS 7.5.1).

    For changes that would hand over an account: password, factors, a mailbox's secrets. A token is never fresh; the
    command line is, because whoever reaches it holds the machine.
    """
    if actor.origin is Origin.COMMAND_LINE:
        return
    if actor.proved_at is None or unit.machine.now() - actor.proved_at > _FRESH:
        raise CadenzaError(
            "proof_needed",
            "This change needs your password or a code once more.",
            Kind.NOT_ALLOWED,
            fix="Open /prove, show that it is you, and repeat it.",
        )


def is_fresh(unit: Unit, actor: Actor) -> bool:
    """Whether ``require_fresh`` would let this pass."""
    try:
        require_fresh(unit, actor)
    except CadenzaError:
        return False
    return True
