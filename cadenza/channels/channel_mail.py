"""E-mail by the same protocol, over the SMTP and IMAP clients. The dispatcher and the inbox use those themselves: they do many at once."""

from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

from cadenza.channels import repository
from cadenza.channels.access import credentials
from cadenza.channels.channel_quota import midnight_after
from cadenza.channels.contracts import (
    AccountState,
    Capacity,
    ChannelHealth,
    Credentials,
    Envelope,
    Errand,
    Fetched,
    FolderCursor,
    Incoming,
    IncomingKind,
    Mailbox,
    Outcome,
    WireReply,
)
from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.mime import Slots, compile_message, message_id
from cadenza.channels.email.sent_folder import is_filed, sent_folder
from cadenza.channels.email.smtp import SmtpSession
from cadenza.channels.mailbox_check import test_mailbox
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError

_INBOX = "INBOX"
_UNSUBSCRIBE = "mailto:{}?subject=unsubscribe"


class MailChannel:
    """One mailbox. ``fetch`` reads from where the inbox stands, and moves nothing."""

    def __init__(self, database: Database, box: Mailbox) -> None:
        self.box = box
        self._database = database

    async def health(self) -> ChannelHealth:
        try:
            tested = await test_mailbox(self.box.address, self.box.smtp, self.box.imap, await self._secret())
        except CadenzaError as wrong:
            return ChannelHealth(ok=False, detail=str(wrong), state=AccountState.BROKEN)
        state = AccountState.OK if tested.ok else AccountState.BROKEN
        return ChannelHealth(ok=tested.ok, detail=tested.detail, state=state)

    async def capacity(self, action: str) -> Capacity:  # noqa: ARG002 - a mailbox does one thing
        async with self._database.unit(self.box.workspace_id) as unit:
            box = await repository.mailbox(unit, self.box.id)
            used = await repository.amounts(unit, unit.world.now().date(), "mailbox", [str(box.id)])
            now = unit.world.now()
        if not box.can_send:
            return Capacity(0, None, box.why_not)
        left = box.allowance - used.get(str(box.id), 0)
        if left > 0:
            return Capacity(left)
        return Capacity(0, midnight_after(now), f"{box.address} has sent what it may today")

    async def send(self, errand: Errand) -> WireReply:
        try:
            envelope, secret = self._envelope(errand), await self._secret()
        except CadenzaError as wrong:
            return WireReply(errand.touch_id, Outcome.REFUSED, "connect", text=str(wrong))
        async with SmtpSession(
            self.box.smtp, secret if self.box.user else None, helo=self.box.domain
        ) as session:
            reply = await session.send(envelope)
        if reply.outcome is not Outcome.ACCEPTED:
            return reply
        reference = message_id(errand.touch_id, self.box.address)
        return WireReply(
            reply.touch_id, reply.outcome, reply.stage, reply.code, reply.enhanced, reply.text, reference
        )

    async def find(self, errand: Errand) -> WireReply | None:
        reference = message_id(errand.touch_id, self.box.address)
        async with ImapReader(self.box.imap, await self._secret()) as reader:
            filed = await is_filed(reader, await sent_folder(reader), reference, errand.touch_id)
        return WireReply(errand.touch_id, Outcome.ACCEPTED, "look_up", reference=reference) if filed else None

    async def fetch(self, since: datetime) -> Sequence[Incoming]:
        async with self._database.unit(self.box.workspace_id) as unit:
            place = await repository.cursor(unit, self.box.id, _INBOX) or FolderCursor(_INBOX)
        found: list[Incoming] = []
        async with ImapReader(self.box.imap, await self._secret()) as reader:
            async for batch in reader.fetch_new(place):
                found += [
                    _incoming(each, since)
                    for each in batch.messages
                    if (each.internal_date or since) >= since
                ]
        return found

    async def _secret(self) -> Credentials:
        return await credentials(self._database, self.box.workspace_id, self.box.id)

    def _envelope(self, errand: Errand) -> Envelope:
        slots = Slots(
            touch_id=errand.touch_id, recipient=errand.recipient, recipient_name=errand.name or None, subject=errand.subject,
            text=errand.text, at=errand.at, unsubscribe_mail=_UNSUBSCRIBE.format(self.box.address), in_reply_to=errand.thread,
            references=(errand.thread,) if errand.thread else (),
        )  # fmt: skip
        skeleton = compile_message(self.box.address, self.box.display_name, html=False)
        return Envelope(errand.touch_id, self.box.address, errand.recipient, skeleton.compose(slots))


def _incoming(told: Fetched, since: datetime) -> Incoming:
    """A message in the inbox; whether a person wrote it is for the inbox to find out."""
    message = message_from_bytes(told.raw, policy=default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    body = message.get_body(("plain",))
    references = str(message.get("References", "")).split()
    return Incoming(
        key=f"{told.folder}/{told.uidvalidity}/{told.uid}", kind=IncomingKind.REPLIED, at=told.internal_date or since,
        reference=str(message.get("In-Reply-To", "")) or None, person=parseaddr(str(message.get("From", "")))[1] or None,
        thread=references[0] if references else None, text=str(body.get_content()) if body is not None else "",
        data={"subject": str(message.get("Subject", ""))},
    )  # fmt: skip
