"""Why a connection failed is told in words that help, never in those of the machine."""

import errno
import socket
import ssl

import pytest

from cadenza.channels.contracts import Credentials, Server, Tls
from cadenza.channels.email.losses import why_lost
from cadenza.channels.mailbox_check import test_mailbox as try_mailbox
from cadenza.web.catalogue import DEFAULT, speak, told

LOSSES: list[tuple[Exception, str]] = [
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "nothing answers at this port"),
    (
        OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1), [Errno 99] x"),
        "nothing answers at this port",
    ),
    (socket.gaierror(-2, "Name or service not known"), "there is no server of this name"),
    (UnicodeError("label too long"), "there is no server of this name"),
    (OSError(errno.ENETUNREACH, "Network is unreachable"), "no way leads there"),
    (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "no answer in time"),
    (ConnectionResetError(errno.ECONNRESET, "reset by peer"), "the server closed the connection"),
    (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "it does not speak TLS there"),
    (OSError(errno.EMFILE, "Too many open files"), "the connection failed (EMFILE)"),
    (OSError("something else"), "the connection failed"),
]


@pytest.mark.parametrize(("error", "words"), LOSSES, ids=lambda value: str(value)[:30])
def test_each_loss_has_words_of_its_own_in_both_languages(error: Exception, words: str) -> None:
    why = why_lost(error)
    assert why.startswith(words)
    assert "Errno" not in why
    speak("de")
    try:
        assert told(why) != why
    finally:
        speak(DEFAULT)


async def test_a_test_of_servers_that_are_not_there_says_what_to_look_at() -> None:
    nowhere = Server("localhost", 1, Tls.NONE)
    tested = await try_mailbox("anna@north.example", nowhere, nowhere, Credentials("anna", "x"))
    assert tested.detail.splitlines() == [
        "SMTP server localhost:1 cannot be reached: nothing answers at this port; look at host and port.",
        "IMAP server localhost:1 cannot be used now: nothing answers at this port; look at host and port.",
    ]
    speak("de")
    try:
        german = told(tested.detail)
    finally:
        speak(DEFAULT)
    assert german.startswith(
        "Der SMTP-Server localhost:1 ist nicht zu erreichen: an diesem Port antwortet niemand"
    )
    assert german.count("antwortet niemand") == 2
