"""Checks on the machine and on how it is reached."""

import asyncio
import ssl
import stat
from datetime import UTC, datetime

from cryptography import x509

from cadenza.core.addresses import is_loopback
from cadenza.core.clock import MachineClock
from cadenza.core.errors import CadenzaError
from cadenza.core.http import Egress, Purpose
from cadenza.core.room import free_bytes
from cadenza.operations.archive import backup_folder
from cadenza.operations.checks import Finding, Scene, fail, fine, register, skipped, warn

_GIGABYTE = 1_000_000_000
_LITTLE = 5 * _GIGABYTE
_EXPIRES_SOON = 14


@register("machine.disk", "free space where data and backups lie", needs_database=False, blocking=True)
async def disk(scene: Scene) -> Finding:
    free = {
        place: await asyncio.to_thread(free_bytes, place)
        for place in (scene.settings.home, backup_folder(scene.settings))
    }
    place, least = min(free.items(), key=lambda item: item[1])
    words = f"{least / _GIGABYTE:.1f} GB free at {place}"
    if least < scene.settings.disk_reserve_mb * 1_000_000:
        return fail(words, "Make room now: nothing new is sent or imported until then.")
    return warn(words, "Make room, or move the backups elsewhere.") if least < _LITTLE else fine(words)


@register("machine.keys", "who may read the keys of stored secrets", needs_database=False)
async def keys(scene: Scene) -> Finding:
    named = ("keys.json", "backup.key", "database/password", "database/password.application")
    paths = [scene.settings.home / name for name in named]
    found = [path for path in paths if path.exists()]
    open_ones = [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        return fail(f"others may read {names}", f"Run: chmod 600 {names}", len(open_ones))
    if not found:
        return (
            fine("the key comes from CADENZA_SECRET_KEY")
            if scene.settings.secret_key
            else skipped("no keys yet")
        )
    return fine(f"{len(found)} files, readable by their owner alone")


@register("web.public", "the public address, asked from here", needs_database=False, seconds=8)
async def public(scene: Scene) -> Finding:
    address = scene.settings.public_url
    if address is None:
        return skipped("no public address is set")
    host = address.split("://", 1)[1]
    here = is_loopback(host.rpartition(":")[0].strip("[]") or host)
    try:
        answer = await Egress(this_machine=here).request(Purpose.SELF, "GET", f"{address}/healthz", seconds=6)
    except CadenzaError as wrong:
        if wrong.code == "destination_refused":
            return skipped(f"not asked from here, {address}: {wrong.message}")
        return fail(
            f"no answer from {address}: {wrong.message}", "Check the proxy, the name and the certificate."
        )
    if answer.status == 200 and answer.body == b"ok":
        return fine(f"answers at {address}")
    return fail(
        f"answers {answer.status} at {address}", "Something else listens there, or the proxy leads elsewhere."
    )


@register("web.certificate", "our own certificate's end", needs_database=False)
async def certificate(scene: Scene) -> Finding:
    path = scene.settings.tls_certificate
    if path is None:
        return skipped("a proxy, or nobody, does TLS")
    try:
        found = x509.load_pem_x509_certificate(await asyncio.to_thread(path.read_bytes))
    except (OSError, ValueError, ssl.SSLError) as wrong:
        return fail(f"{path} cannot be read: {wrong}", "Give a PEM file that this user may read.")
    days = (found.not_valid_after_utc - MachineClock().now().astimezone(UTC)).days
    words = f"ends in {days} days, on {datetime.date(found.not_valid_after_utc)}"
    if days < 0:
        return fail(f"ended {-days} days ago", "Renew it and restart.")
    return warn(words, "Renew it and restart.") if days < _EXPIRES_SOON else fine(words)
