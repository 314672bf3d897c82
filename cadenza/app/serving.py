"""How a production installation is reached: checked before anything is made or started."""

import ssl

from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings


def check_reachable(current: Settings) -> None:
    """Raises ``CadenzaError`` unless there is a public address, and TLS for it by a proxy or by files of our own."""
    if current.public_url is None:
        raise CadenzaError(
            "public_url_missing",
            "CADENZA_PUBLIC_URL is not set: the address under which people reach this installation.",
            fix="Set it, such as CADENZA_PUBLIC_URL=https://cadenza.example.com (http://localhost:8321 for a try on this "
            "machine). To try everything with simulated people use `cadenza up --sandbox`.",
        )
    if bool(current.tls_certificate) != bool(current.tls_key):
        raise CadenzaError(
            "tls_incomplete",
            "CADENZA_TLS_CERTIFICATE and CADENZA_TLS_KEY belong together.",
            fix="Set both or none.",
        )
    if current.tls_certificate:
        _load(current)
    elif current.secure and not current.trusted_proxies:
        raise CadenzaError(
            "tls_missing",
            f"{current.public_url} needs TLS, and nothing here gives it.",
            fix="Name the proxy in front by CADENZA_TRUSTED_PROXIES, or give CADENZA_TLS_CERTIFICATE and CADENZA_TLS_KEY.",
        )


def _load(current: Settings) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            str(current.tls_certificate), str(current.tls_key)
        )
    except (OSError, ssl.SSLError) as wrong:
        raise CadenzaError(
            "tls_unreadable",
            f"The certificate or its key cannot be used: {wrong}",
            fix="Give PEM files that belong together and that this user may read.",
        ) from wrong


def own_tls(current: Settings) -> ssl.SSLContext | None:
    """For asking our own server on loopback, where its certificate names another host."""
    if current.tls_certificate is None:
        return None
    context = ssl.create_default_context(cafile=current.tls_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # our leaf is its own anchor here
    return context
