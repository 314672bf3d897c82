"""Calls by Twilio Voice (https://www.twilio.com/docs/voice/api): it rings our person first and then connects the other.

Nobody is ever called by a machine: without somebody of ours on the line there is no second leg.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cadenza.channels.channel_base import AccountChannel, Verdict, lost
from cadenza.channels.channel_wire import address, items, read, retry_after, words
from cadenza.channels.contracts import (
    AccountState,
    ChannelAccount,
    ChannelHealth,
    Errand,
    Incoming,
    Outcome,
    WireReply,
)
from cadenza.channels.phone.incoming import from_call, voicemail, when
from cadenza.channels.phone.twiml import bridge
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Answer, Egress, Purpose

BASE = "https://api.twilio.com"
_VERSION = "2010-04-01"
_USUAL_WAIT = 1.0  # seconds: it starts one call a second for an account that did not ask for more
_SUSPENDED = frozenset({"20005", "10001"})  # https://www.twilio.com/docs/api/errors: account not active
_PAGES = 20


class TwilioChannel(AccountChannel):
    """``key`` is the account's auth token; ``hook`` our address for what it tells, empty where it cannot reach us."""

    def __init__(
        self, database: Database, egress: Egress, account: ChannelAccount, key: str, hook: str = ""
    ) -> None:
        super().__init__(database, account)
        self._egress = egress
        self._key = key
        self._hook = hook

    async def health(self) -> ChannelHealth:
        try:
            answer = await self._ask("GET", "Accounts", f"{self.account.reference}.json")
        except CadenzaError as wrong:
            return ChannelHealth(ok=False, detail=str(wrong))
        verdict = self._judge(answer, harmless=True)
        if verdict.outcome is not Outcome.ACCEPTED:
            return ChannelHealth(ok=False, detail=verdict.text, state=verdict.state or AccountState.OK)
        status = words(read(answer), "status")
        if status != "active":
            text = f"Twilio says that the account is {status}."
            return ChannelHealth(ok=False, detail=text, state=AccountState.RESTRICTED)
        return ChannelHealth(ok=True, detail="Twilio lets us in.")

    async def send(self, errand: Errand) -> WireReply:
        if (still := await self._stands_still(errand)) is not None:
            return still
        twiml = bridge(errand.recipient, shown=self.account.address, hook=self._hook)
        form = {"To": self.account.rings, "From": self.account.address, "Twiml": twiml}
        if self._hook:
            form |= {
                "StatusCallback": self._hook,
                "StatusCallbackEvent": "completed",
                "StatusCallbackMethod": "POST",
            }
        try:
            answer = await self._ask("POST", *self._calls(), form=form)
        except CadenzaError as wrong:
            return self._reply(errand, "request", lost(wrong, harmless=False))
        verdict = self._judge(answer)
        await self._follow(verdict, errand.touch_id)
        taken = verdict.outcome is Outcome.ACCEPTED
        return self._reply(errand, "answer", verdict, words(read(answer), "sid") if taken else None)

    async def find(self, errand: Errand) -> WireReply | None:
        """The leg to the other side is the only one that says whom it was for: until it was dialled nothing was done."""
        query = {"To": errand.recipient, "StartTime>": f"{errand.at:%Y-%m-%d}"}
        for call in await self._list("Calls", "calls", query):
            begun = when(words(call, "start_time", "date_created"), errand.at)
            if words(call, "direction") == "outbound-dial" and begun >= errand.at.replace(microsecond=0):
                reference = words(call, "parent_call_sid") or words(call, "sid")
                return WireReply(errand.touch_id, Outcome.ACCEPTED, "look_up", reference=reference)
        return None

    async def fetch(self, since: datetime) -> Sequence[Incoming]:
        now, day = self._database.world.now(), f"{since:%Y-%m-%d}"
        calls = await self._list("Calls", "calls", {"StartTime>": day})
        told = [each for call in calls for each in from_call(call, now)]
        return [*told, *await self._voicemails({words(call, "sid"): call for call in calls}, day, now)]

    async def _voicemails(
        self, calls: Mapping[str, Mapping[str, Any]], day: str, now: datetime
    ) -> list[Incoming]:
        recordings = await self._list("Recordings", "recordings", {"DateCreated>": day})
        by_sid = {words(each, "sid"): each for each in recordings}
        found = []
        for text in await self._list("Transcriptions", "transcriptions", {}):
            recording = by_sid.get(words(text, "recording_sid"))
            if recording is None or words(text, "status") == "in-progress":
                continue
            call = calls.get(words(recording, "call_sid"), {"sid": words(recording, "call_sid")})
            at = when(words(recording, "date_created"), now)
            found.append(voicemail(text, call, self._media(words(recording, "sid")), at))
        return found

    def _media(self, recording: str) -> str:
        return address(
            self.account.base_url, _VERSION, "Accounts", self.account.reference, "Recordings", recording
        )

    # The wire.

    def _calls(self) -> tuple[str, ...]:
        return ("Accounts", self.account.reference, "Calls.json")

    async def _list(self, what: str, key: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        path = ("Accounts", self.account.reference, f"{what}.json")
        url = address(self.account.base_url, _VERSION, *path, query={**query, "PageSize": "500"})
        found: list[Mapping[str, Any]] = []
        for _ in range(_PAGES):
            told = self._good(await self._request("GET", url))
            found += items(told, key)
            following = words(told, "next_page_uri")
            if not following.startswith("/"):
                break
            url = self.account.base_url.rstrip("/") + following
        return found

    def _good(self, answer: Answer) -> Mapping[str, Any]:
        verdict = self._judge(answer, harmless=True)
        if verdict.outcome is Outcome.ACCEPTED:
            return read(answer)
        kind = Kind.TEMPORARY if verdict.outcome is Outcome.DEFERRED else Kind.CONFLICT
        raise CadenzaError(
            "phone_unreadable", f"Twilio does not tell about {self.account.name}: {verdict.text}", kind,
            fix="Test the account under Senders.", retry_after=int(verdict.wait or 0),
        )  # fmt: skip

    def _judge(self, answer: Answer, *, harmless: bool = False) -> Verdict:
        told = read(answer)
        code, text = words(told, "code"), words(told, "message") or f"Twilio answered {answer.status}."
        if answer.status < 300:
            return Verdict(Outcome.ACCEPTED, "", answer.status)
        if answer.status == 429:
            wait = retry_after(answer, self._database.machine.now(), _USUAL_WAIT)
            return Verdict(Outcome.DEFERRED, text, 429, wait=wait)
        if code in _SUSPENDED:
            return Verdict(Outcome.DEFERRED, text, answer.status, state=AccountState.RESTRICTED)
        if answer.status in (401, 403):
            return Verdict(Outcome.DEFERRED, text, answer.status, state=AccountState.BROKEN)
        if answer.status < 500:
            return Verdict(Outcome.REFUSED, text, answer.status)
        safe = harmless or answer.status == 503
        return Verdict(Outcome.DEFERRED if safe else Outcome.IN_DOUBT, text, answer.status)

    async def _ask(self, method: str, *path: str, form: Mapping[str, str] | None = None) -> Answer:
        return await self._request(method, address(self.account.base_url, _VERSION, *path), form=form)

    async def _request(self, method: str, url: str, *, form: Mapping[str, str] | None = None) -> Answer:
        secret = base64.b64encode(f"{self.account.reference}:{self._key}".encode()).decode()
        headers = {"authorization": f"Basic {secret}", "accept": "application/json"}
        return await self._egress.request(Purpose.PHONE, method, url, headers=headers, form=form)
