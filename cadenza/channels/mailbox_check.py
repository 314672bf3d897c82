"""Try a mailbox's servers as sending and reading will use them, and say in words what failed."""

import ssl

from cadenza.channels.contracts import Credentials, SenderTest, Server
from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.smtp import Failure, SmtpSession, Timeouts
from cadenza.core.errors import CadenzaError

_TIMEOUTS = Timeouts(connect=10, command=10)


async def test_mailbox(
    address: str,
    smtp: Server,
    imap: Server,
    credentials: Credentials,
    *,
    sender: str = "",  # noqa: PT028 - the name is the command's, not a test's
    context: ssl.SSLContext | None = None,  # noqa: PT028
) -> SenderTest:
    """Log in at both servers. Uses the network, so call it without an open unit. Never raises for what they do."""
    problems = [
        problem
        for problem in (
            await _try_smtp(smtp, credentials, context),
            await _try_imap(imap, credentials, context),
        )
        if problem
    ]
    detail = "\n".join(problems) or "SMTP and IMAP log-ins work."
    return SenderTest(sender, address, not problems, detail)


async def _try_smtp(server: Server, credentials: Credentials, context: ssl.SSLContext | None) -> str:
    async with SmtpSession(server, credentials, timeouts=_TIMEOUTS, context=context) as session:
        failure = session.failure
    if failure is None:
        return ""
    return _smtp_problem(server, failure)


def _smtp_problem(server: Server, failure: Failure) -> str:
    why = f"{failure.code} {failure.text}" if failure.code else failure.text
    why = why.rstrip(".")
    if failure.stage == "tls":
        return f"SMTP server {server.host}:{server.port} offers no TLS that we can trust: {why}."
    if failure.stage == "login":
        return f"SMTP server {server.host}:{server.port} refuses the log-in: {why}."
    return f"SMTP server {server.host}:{server.port} cannot be reached: {why}."


async def _try_imap(server: Server, credentials: Credentials, context: ssl.SSLContext | None) -> str:
    try:
        async with ImapReader(server, credentials, seconds=10, patience=1, context=context) as reader:
            await reader.end("INBOX")
    except CadenzaError as wrong:
        return wrong.message
    return ""
