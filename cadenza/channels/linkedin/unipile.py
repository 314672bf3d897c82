"""LinkedIn by Unipile's API, version 1 (https://developer.unipile.com/reference): one account that was signed in there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from cadenza.channels.channel_base import AccountChannel, Verdict, lost
from cadenza.channels.channel_wire import address, items, multipart, read, stamp, words
from cadenza.channels.contracts import ChannelAccount, ChannelHealth, Errand, Incoming, Outcome, WireReply
from cadenza.channels.linkedin import answers
from cadenza.channels.linkedin.incoming import from_message, from_relation
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.http import Answer, Egress, Purpose

LONGEST_NOTE = 300  # characters of an invitation's message, by its schema
_PAGES = 20  # of 100 entries: what one look reads at most
_BEFORE = timedelta(minutes=5)  # their clock may be behind ours


class UnipileChannel(AccountChannel):
    """Give it the key of the Unipile application; it is kept in memory for as long as this object lives."""

    def __init__(self, database: Database, egress: Egress, account: ChannelAccount, key: str) -> None:
        super().__init__(database, account)
        self._egress = egress
        self._key = key

    async def health(self) -> ChannelHealth:
        try:
            answer = await self._get("accounts", self.account.reference)
        except CadenzaError as wrong:
            return ChannelHealth(ok=False, detail=str(wrong))
        return answers.health(answer, self._database.machine.now())

    async def send(self, errand: Errand) -> WireReply:
        if (still := await self._stands_still(errand)) is not None:
            return still
        if errand.action == "message" and errand.thread:
            return await self._say(errand, ("chats", errand.thread, "messages"), [("text", errand.text)])
        person, failed = await self._person(errand)
        if failed is not None:
            return failed
        if errand.action == "connect":
            return replace(await self._invite(errand, person), person=person)
        if errand.action == "message":
            fields = [
                ("account_id", self.account.reference),
                ("attendees_ids", person),
                ("text", errand.text),
            ]
            return replace(await self._say(errand, ("chats",), fields), person=person)
        # The visit is what was asked for, and it was made.
        return WireReply(
            errand.touch_id, Outcome.ACCEPTED, "answer", 200, reference=f"profile/{person}", person=person
        )

    async def find(self, errand: Errand) -> WireReply | None:
        person = errand.person or await self._known_as(errand.recipient)
        reference = None
        if errand.action == "connect":
            reference = await self._invitation(person)
        elif errand.action == "message":
            reference = await self._message(errand, person)
        if reference is None:
            return None
        return WireReply(errand.touch_id, Outcome.ACCEPTED, "look_up", reference=reference)

    async def fetch(self, since: datetime) -> Sequence[Incoming]:
        now, ours = self._now(), self.account.reference
        query = {"account_id": ours, "after": stamp(since - _BEFORE)}
        messages = await self._all("messages", query=query)
        found = [each for told in messages for each in from_message(told, ours, now)]
        return [*found, *await self._new_relations(since - _BEFORE, now)]

    async def listen(self, url: str, secret: str) -> list[str]:
        """Have webhooks of this account sent to us with ``secret`` in a header; their ids over there. Raises ``CadenzaError``."""
        return [await self._hook(url, secret, source) for source in ("messaging", "users", "account_status")]

    async def deafen(self, hooks: Sequence[str]) -> None:
        """Take those webhooks back. Raises ``CadenzaError``."""
        for hook in hooks:
            await self._ask("DELETE", ("webhooks", hook))

    # Doing.

    async def _person(self, errand: Errand) -> tuple[str, WireReply | None]:
        """The provider's id of whoever is meant; looking somebody up is a visit, told to them when the visit is the errand."""
        if errand.person and errand.action != "view_profile":
            return errand.person, None
        visit = errand.action == "view_profile"
        query = {"account_id": self.account.reference} | ({"notify": "true"} if visit else {})
        try:
            answer = await self._get("users", errand.person or public_name(errand.recipient), query=query)
        except CadenzaError as wrong:
            verdict = lost(wrong, harmless=not visit)
        else:
            verdict = answers.judge(answer, self._database.machine.now(), harmless=not visit)
            if verdict.outcome is Outcome.ACCEPTED and (person := words(read(answer), "provider_id")):
                return person, None
            if verdict.outcome is Outcome.ACCEPTED:
                verdict = Verdict(Outcome.REFUSED, "Unipile knows no such profile.", answer.status)
        await self._follow(verdict, errand.touch_id)
        return "", self._reply(errand, "request" if visit else "look_up", verdict)

    async def _invite(self, errand: Errand, person: str) -> WireReply:
        body = {"provider_id": person, "account_id": self.account.reference}
        if errand.text:
            if len(errand.text) > LONGEST_NOTE:
                text = f"The note has {len(errand.text)} characters; LinkedIn takes {LONGEST_NOTE}."
                return WireReply(errand.touch_id, Outcome.REFUSED, "request", text=text)
            body["message"] = errand.text
        content = json.dumps(body).encode()
        return await self._post(errand, ("users", "invite"), content, "application/json", "invitation_id")

    async def _say(
        self, errand: Errand, path: tuple[str, ...], fields: Sequence[tuple[str, str]]
    ) -> WireReply:
        content, kind = multipart(fields)
        return await self._post(errand, path, content, kind, "message_id")

    async def _post(
        self, errand: Errand, path: tuple[str, ...], content: bytes, kind: str, reference: str
    ) -> WireReply:
        try:
            answer = await self._ask("POST", path, content=content, kind=kind)
        except CadenzaError as wrong:
            return self._reply(errand, "request", lost(wrong, harmless=False))
        verdict = answers.judge(answer, self._database.machine.now())
        await self._follow(verdict, errand.touch_id)
        taken = verdict.outcome is Outcome.ACCEPTED
        return self._reply(errand, "answer", verdict, words(read(answer), reference) if taken else None)

    # Looking up.

    async def _known_as(self, profile: str) -> str:
        query = {"account_id": self.account.reference}
        told = self._good(await self._get("users", public_name(profile), query=query))
        return words(told, "provider_id")

    async def _invitation(self, person: str) -> str | None:
        """The id of an invitation that waits there; of one that was accepted already, the connection that came of it."""
        query = {"account_id": self.account.reference, "limit": "100"}
        for told in await self._all("users", "invite", "sent", query=query):
            if words(told, "invited_user_id") == person:
                return words(told, "id")
        told = self._good(await self._get("users", person, query={"account_id": self.account.reference}))
        return f"relation/{person}" if words(told, "network_distance") == "FIRST_DEGREE" else None

    async def _message(self, errand: Errand, person: str) -> str | None:
        """Ours with these very words, in a conversation with this person, since it was claimed."""
        after = stamp(errand.at - _BEFORE)
        for told in await self._all("messages", query={"account_id": self.account.reference, "after": after}):
            same = told.get("is_sender") in (1, True) and words(told, "text") == errand.text
            if same and await self._is_with(words(told, "chat_id"), errand, person):
                return words(told, "id")
        return None

    async def _is_with(self, chat: str, errand: Errand, person: str) -> bool:
        if errand.thread:
            return chat == errand.thread
        told = self._good(await self._get("chats", chat))
        return words(told, "attendee_provider_id") == person

    async def _new_relations(self, since: datetime, now: datetime) -> list[Incoming]:
        """The list begins with the newest, so one page is read and then those before it while they are new."""
        query = {"account_id": self.account.reference, "limit": "100"}
        found: list[Incoming] = []
        for _ in range(_PAGES):
            told = self._good(await self._get("users", "relations", query=query))
            page = [from_relation(each, now) for each in items(told)]
            new = [each for each in page if each.at >= since]
            found += new
            cursor = words(told, "cursor")
            if len(new) < len(page) or not page or not cursor:
                break
            query = query | {"cursor": cursor}
        return found

    # The wire.

    async def _all(self, *path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for _ in range(_PAGES):
            told = self._good(await self._get(*path, query=query))
            found += items(told)
            cursor = words(told, "cursor")
            if not cursor:
                break
            query = {**query, "cursor": cursor}
        return found

    def _good(self, answer: Answer) -> Mapping[str, Any]:
        verdict = answers.judge(answer, self._database.machine.now(), harmless=True)
        if verdict.outcome is Outcome.ACCEPTED:
            return read(answer)
        kind = Kind.TEMPORARY if verdict.outcome is Outcome.DEFERRED else Kind.CONFLICT
        raise CadenzaError(
            "linkedin_unreadable", f"Unipile does not tell about {self.account.name}: {verdict.text}", kind,
            fix="Test the account under Senders.", retry_after=int(verdict.wait or 0),
        )  # fmt: skip

    async def _hook(self, url: str, secret: str, source: str) -> str:
        body: dict[str, Any] = {
            "request_url": url, "source": source, "account_ids": [self.account.reference], "name": "Cadenza",
            "headers": [{"key": "Content-Type", "value": "application/json"}, {"key": "Unipile-Auth", "value": secret}],
        }  # fmt: skip
        if source == "messaging":
            body["events"] = ["message_received", "message_reaction", "message_read"]
        answer = await self._ask(
            "POST", ("webhooks",), content=json.dumps(body).encode(), kind="application/json"
        )
        return words(self._good(answer), "webhook_id")

    async def _get(self, *path: str, query: Mapping[str, str] | None = None) -> Answer:
        return await self._ask("GET", path, query=query)

    async def _ask(
        self, method: str, path: Sequence[str], *, query: Mapping[str, str] | None = None, content: bytes | None = None,
        kind: str = "",
    ) -> Answer:  # fmt: skip
        headers = {"X-API-KEY": self._key, "accept": "application/json"}
        if kind:
            headers["content-type"] = kind
        url = address(self.account.base_url, "api", "v1", *path, query=query)
        return await self._egress.request(Purpose.LINKEDIN, method, url, headers=headers, content=content)

    def _now(self) -> datetime:
        return self._database.world.now()


def public_name(profile: str) -> str:
    """``julia-example`` of ``https://www.linkedin.com/in/julia-example``; what is no address stays as it is."""
    path = urlsplit(profile).path.strip("/") if "/" in profile else profile
    return unquote(path.removeprefix("in/").partition("/")[0])
