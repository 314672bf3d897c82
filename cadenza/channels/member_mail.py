"""Letters to members: links for a forgotten password and into a workspace. Never part of a campaign.

They go through the server of the installation's own settings, because no workspace's mailbox may speak for it.
"""

from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from cadenza.channels.contracts import Credentials, Envelope, Outcome, Server, Tls
from cadenza.channels.email.smtp import SmtpSession
from cadenza.channels.email.wire import require_safe
from cadenza.core.database import Database
from cadenza.core.errors import CadenzaError, Kind
from cadenza.core.ids import new_id
from cadenza.core.settings import Settings, settings
from cadenza.identity.service import Letter, invitation_letter, reset_letter
from cadenza.web.service import gettext, speak


async def mail_reset_link(database: Database, *, user_id: str) -> None:
    """The job: somebody forgot their password. Tried again where the server is away; each letter has a link of its own."""
    letter = await reset_letter(database, UUID(user_id))
    if letter is None:
        return
    speak(letter.locale)
    why = gettext(
        "Somebody, probably you, asked for a new password to Cadenza. Choose it here, once, within a day:"
    )
    otherwise = gettext("If it was not you, do nothing: your password stays as it is.")
    await _send(database, letter, gettext("A new password for Cadenza"), (why, otherwise))


async def mail_invitation(database: Database, *, workspace_id: str, invitation_id: str, locale: str) -> None:
    """The job: somebody was invited."""
    letter = await invitation_letter(database, UUID(workspace_id), UUID(invitation_id), locale)
    if letter is None:
        return
    speak(letter.locale)
    why = gettext("You are invited to the workspace %(name)s of Cadenza. Come in here, once, within a day:")
    otherwise = gettext("If you expected no invitation, do nothing.")
    await _send(
        database, letter, gettext("An invitation to Cadenza"), (why % {"name": letter.workspace}, otherwise)
    )


async def _send(database: Database, letter: Letter, subject: str, words: tuple[str, str]) -> None:
    """Raises ``CadenzaError`` where the letter was not taken; ``TEMPORARY`` where trying again may help."""
    current = settings()
    server, sender = _server(current), current.mail_from or ""
    link = f"{current.public_url or f'http://{current.host}:{current.port}'}{letter.path}"
    identity, (why, otherwise) = new_id(), words
    message = _message(sender, letter.to, subject, f"{why}\n\n{link}\n\n{otherwise}\n")
    message["Date"] = format_datetime(database.machine.now())
    message["Message-ID"] = f"<{identity.hex}@{sender.rpartition('@')[2]}>"
    raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    credentials = Credentials(current.mail_user, current.mail_password or "") if current.mail_user else None
    async with SmtpSession(server, credentials) as session:
        reply = await session.send(Envelope(identity, sender, letter.to, raw))
    if reply.outcome is not Outcome.ACCEPTED:
        kind = Kind.INVALID if reply.outcome is Outcome.REFUSED else Kind.TEMPORARY
        said = (
            f"{server.host}:{server.port} did not take a letter to a member: {reply.code or ''} {reply.text}"
        )
        raise CadenzaError("letter_not_sent", said.strip(), kind, fix="Check the CADENZA_MAIL settings.")


def _server(current: Settings) -> Server:
    host, _, port = (current.mail_server or "").rpartition(":")
    if not host or not current.mail_from:
        raise CadenzaError(
            "mail_not_set",
            "There is no server for letters to members.",
            fix="Set CADENZA_MAIL_SERVER and CADENZA_MAIL_FROM.",
        )
    server = Server(host.strip("[]"), int(port), Tls(current.mail_tls))
    require_safe(server)
    return server


def _message(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """RFC 5322, marked so that no absence note answers it (RFC 3834)."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Cadenza <{sender}>", to, subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    return message
