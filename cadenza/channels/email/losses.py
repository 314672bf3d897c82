"""Why a connection was not made or was lost, in words that say what to look at, and without those of the machine."""

import errno
import re
import socket
import ssl

_CLOSED = "the server closed the connection"
_NUMBER = re.compile(r"\[Errno (\d+)\]")
_SEVERAL = "Multiple exceptions"  # what asyncio says when each address of a host failed in its own way


def why_lost(error: Exception) -> str:
    """``error`` is what the socket or TLS raised."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted ({error.verify_message}); look at the host's name and at who signed it"
    elif isinstance(error, ssl.SSLError):
        why = "it does not speak TLS there; try the other kind of encryption, or the port that belongs to this one"
    elif isinstance(error, socket.gaierror | UnicodeError):
        why = "there is no server of this name; look at how the host is written"
    else:
        why = _of_number(_number(error))
    return why


def _number(error: Exception) -> int:
    """``errno``; of several failures, the first one's."""
    number = getattr(error, "errno", None)
    if number is None and str(error).startswith(_SEVERAL) and (found := _NUMBER.search(str(error))):
        number = int(found[1])
    return number or 0


def _of_number(number: int) -> str:
    if number == errno.ECONNREFUSED:
        why = "nothing answers at this port; look at host and port"
    elif number in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EADDRNOTAVAIL}:
        why = "no way leads there from this machine; look at its network and firewall"
    elif number == errno.ETIMEDOUT:
        why = "no answer in time; look at host and port, and whether a firewall is between"
    elif number in {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}:
        why = _CLOSED
    else:
        why = f"the connection failed ({errno.errorcode.get(number, 'no reason given')})"
    return why
