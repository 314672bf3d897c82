"""What an answer of Unipile means (https://developer.unipile.com/docs, API v1)."""

from datetime import datetime

from cadenza.channels.channel_base import Verdict
from cadenza.channels.channel_wire import read, retry_after, words
from cadenza.channels.contracts import AccountState, ChannelHealth, Outcome
from cadenza.core.http import Answer

_USUAL_WAIT = 15 * 60.0  # seconds, where a 429 does not say
_A_DAY = 24 * 3600.0
# Its words for LinkedIn's own refusal to take more of a kind now.
_LATER = frozenset({"cannot_resend_yet", "limit_exceeded", "provider_limit_reached"})
_RESTRICTED = frozenset({"account_restricted"})
_BROKEN_STATES = frozenset({"CREDENTIALS", "PERMISSIONS", "ERROR", "STOPPED", "DELETED"})


def judge(answer: Answer, now: datetime, *, harmless: bool = False) -> Verdict:
    """For the errand and for the account. ``harmless``: the request changes nothing over there, so no doubt can come of it."""
    told = read(answer)
    kind = words(told, "type").rpartition("/")[2]
    text = words(told, "detail", "title") or f"Unipile answered {answer.status}."
    if answer.status < 300:
        return Verdict(Outcome.ACCEPTED, "", answer.status)
    if answer.status == 429:
        return Verdict(Outcome.DEFERRED, text, 429, wait=retry_after(answer, now, _USUAL_WAIT))
    if kind in _RESTRICTED:
        return Verdict(Outcome.DEFERRED, text, answer.status, state=AccountState.RESTRICTED)
    if answer.status in (401, 403):
        return Verdict(Outcome.DEFERRED, text, answer.status, state=AccountState.BROKEN)
    if kind in _LATER:
        return Verdict(Outcome.DEFERRED, text, answer.status, wait=_A_DAY)
    return _rest(answer.status, text, harmless=harmless)


def _rest(status: int, text: str, *, harmless: bool) -> Verdict:
    if status < 500 and status != 408:
        return Verdict(Outcome.REFUSED, text, status)
    taken = Outcome.DEFERRED if harmless or status == 503 else Outcome.IN_DOUBT
    return Verdict(taken, text, status)


def health(answer: Answer, now: datetime) -> ChannelHealth:
    """Of ``GET /accounts/{id}``: every source of a LinkedIn account has to be OK, or about to be."""
    verdict = judge(answer, now, harmless=True)
    if verdict.outcome is not Outcome.ACCEPTED:
        gone = AccountState.BROKEN if answer.status == 404 else AccountState.OK
        return ChannelHealth(ok=False, detail=verdict.text, state=verdict.state or gone)
    told = read(answer)
    sources = told.get("sources")
    states = [words(source, "status") for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []  # fmt: skip
    bad = next((state for state in states if state in _BROKEN_STATES), None)
    if bad is not None:
        text = f"Unipile says {bad}: sign in to LinkedIn there again."
        return ChannelHealth(ok=False, detail=text, state=AccountState.BROKEN)
    return ChannelHealth(ok=True, detail="Unipile and LinkedIn let us in.")


def is_bad(status: str) -> bool:
    """Whether a status that a webhook tells means that nothing may go out any more."""
    return status in _BROKEN_STATES
