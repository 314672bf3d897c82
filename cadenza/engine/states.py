"""The life of a touch as a table. A status never moves backwards (M3); what is not here is refused."""

from cadenza.core.errors import CadenzaError, Kind
from cadenza.engine.contracts import TouchState as S

TRANSITIONS: dict[S, frozenset[S]] = {
    S.CLAIMED: frozenset({S.SENDING, S.DEFERRED, S.DROPPED}),
    S.SENDING: frozenset({S.SENT, S.DEFERRED, S.REFUSED, S.FAILED, S.IN_DOUBT, S.WITH_PERSON}),
    S.DEFERRED: frozenset({S.CLAIMED, S.DROPPED, S.FAILED}),
    S.IN_DOUBT: frozenset({S.SENT, S.DEFERRED, S.REFUSED, S.DROPPED, S.WITH_PERSON}),
    S.WITH_PERSON: frozenset({S.SENT, S.DROPPED}),
    S.SENT: frozenset(),
    S.REFUSED: frozenset(),
    S.FAILED: frozenset(),
    S.DROPPED: frozenset(),
}

# A claim that was never on the wire may also vanish: its row is deleted and the step is due again.
RELEASABLE = S.CLAIMED


def check(before: S, after: S) -> None:
    """Raises ``CadenzaError`` for a step that the table does not have."""
    if after not in TRANSITIONS[before]:
        raise CadenzaError(
            "touch_transition", f"A touch that is {before.value} cannot become {after.value}.", Kind.CONFLICT
        )


def origins(after: S) -> tuple[str, ...]:
    """The states from which ``after`` can be reached, for use in a conditional update."""
    return tuple(before.value for before, nexts in TRANSITIONS.items() if after in nexts)
