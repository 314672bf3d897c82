"""What can go wrong with the server that a mailbox is read from."""

from cadenza.channels.contracts import Server
from cadenza.core.errors import CadenzaError, Kind


def unreachable(server: Server, why: str) -> CadenzaError:
    """Nothing is wrong with the settings as far as we know; the same may work later."""
    return CadenzaError(
        "mail_server_unreachable",
        f"IMAP server {server.host}:{server.port} cannot be used now: {why}.",
        Kind.TEMPORARY,
        fix="Check host, port and TLS mode, and whether the server is up.",
    )


def login_refused(server: Server, why: str) -> CadenzaError:
    return CadenzaError(
        "mail_login_refused",
        f"IMAP server {server.host}:{server.port} refuses the log-in: {why}.",
        fix="Enter the user and password again; some providers want a password made for applications.",
    )


def folder_refused(server: Server, folder: str, why: str) -> CadenzaError:
    return CadenzaError(
        "mail_folder_refused",
        f"IMAP server {server.host}:{server.port} refuses the folder {folder}: {why}.",
        Kind.NOT_FOUND,
        fix="Look whether the folder still exists and may be read.",
    )
