"""Postfix, smtp-sink and Dovecot from the system's packages, each with a private folder and a free loopback port."""

import asyncio
import os
import random
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cadenza.channels.contracts import Credentials, Server, Tls

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin:/usr/local/sbin"
_READY_SECONDS = 20

ANNA = Credentials("anna@north.example", "a long secret")


def program(name: str) -> str | None:
    return shutil.which(name, path=_PATH)


def free_port() -> int:
    """Below the range from which outgoing connections take theirs: nobody is given it before the server has it."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on loopback")


def open_to_servers(folder: Path) -> None:
    """The servers give up root, so their users must be able to enter; only folders of this test run are changed."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for path in (folder, *folder.parents):
        if temporary not in path.resolve().parents:
            break
        path.chmod(path.stat().st_mode | 0o055)


async def answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        async with asyncio.timeout(2):
            return bool(await reader.readline())
    except (TimeoutError, OSError):
        return False
    finally:
        writer.close()


@asynccontextmanager
async def running(arguments: Sequence[str], port: int, log: Path) -> AsyncIterator[None]:
    """A process in the foreground until the end of the block; stopped by its own id."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*arguments, stdout=output, stderr=output)
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await answers(port):
                if process.returncode is not None:
                    raise RuntimeError(f"{arguments[0]} ended: {log.read_text()[-2000:]}")
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
        await process.wait()


@asynccontextmanager
async def smtp_sink(folder: Path) -> AsyncIterator[tuple[Server, Path]]:
    """Takes everything; each message becomes a file in the folder."""
    dump = folder / "sink"
    dump.mkdir(parents=True)
    dump.chmod(0o777)
    open_to_servers(folder)
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    arguments = [program("smtp-sink") or "", *user, "-d", f"{dump}/%M.", f"127.0.0.1:{port}", "100"]
    async with running(arguments, port, folder / "sink.log"):
        yield Server("127.0.0.1", port, Tls.NONE), dump


_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
mail_owner = postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example
mydestination =
local_recipient_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
smtpd_recipient_restrictions = check_recipient_access inline:{{{{ unknown@x.example = 550 5.1.1 no such user }}, {{ later@x.example = 450 4.2.0 greylisted }}}}, permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 200000
smtp_destination_concurrency_limit = 4
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtputf8_enable = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@asynccontextmanager
async def postfix(
    folder: Path,
    sink: Server,
    certificate: tuple[Path, Path],
    changes: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Server]:
    """A relay of its own that hands everything to ``sink``, unless ``changes`` of its settings say otherwise."""
    port = free_port()
    configuration = folder / "postfix"
    for path in (configuration, folder / "queue", folder / "data"):
        path.mkdir(parents=True)
    open_to_servers(folder)
    shutil.chown(folder / "data", "postfix")
    settings = {"folder": folder, "sink": sink.port, "certificate": certificate[0], "key": certificate[1]}
    main = dict(line.split(" =", 1) for line in _MAIN.format(**settings).splitlines()) | changes
    (configuration / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in main.items()))
    (configuration / "master.cf").write_text(_MASTER.format(port=port))
    command = program("postfix") or ""
    try:
        await _call(command, "-c", str(configuration), "start")
    except RuntimeError as failed:
        raise RuntimeError(f"{failed} {_end_of(folder / 'maillog')}") from failed
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await answers(port):
                await asyncio.sleep(0.05)
        yield Server("127.0.0.1", port, Tls.NONE)
    finally:
        await _call(command, "-c", str(configuration), "stop", check=False)


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""


async def _call(*arguments: str, check: bool = True) -> str:
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if check and process.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {output.decode('utf-8', 'replace')[-2000:]}")
    return output.decode("utf-8", "replace")


_DOVECOT = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {user}
mail_gid = {group}
mail_home = {folder}/mail/%u
mail_location = maildir:~/Maildir
auth_mechanisms = plain login
{accounts}
namespace inbox {{
  inbox = yes
  separator = /
  {sent}
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap {{
  process_limit = 50
}}
"""
_ANYBODY = """\
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
"""
_SENT = """\
mailbox Sent {
  auto = create
  special_use = \\Sent
}
"""
_LISTED = """\
passdb {{
  driver = passwd-file
  args = {folder}/accounts
}}
userdb {{
  driver = passwd-file
  args = {folder}/accounts
}}
protocol lmtp {{
  postmaster_address = postmaster@relay.example
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {login}
  }}
}}
protocols = imap lmtp
"""


@asynccontextmanager
async def dovecot(
    folder: Path,
    certificate: tuple[Path, Path],
    *,
    password: str = ANNA.password.replace(" ", "_"),
    sent: bool = True,
) -> AsyncIterator[Server]:
    """An IMAP server of its own, on which anybody with the password has a mailbox; ``sent``: with a folder for it."""
    async with _dovecot(folder, certificate, _ANYBODY, sent=sent, password=password) as port:
        yield Server("127.0.0.1", port, Tls.NONE)


@asynccontextmanager
async def mail_office(
    folder: Path, certificate: tuple[Path, Path], accounts: Mapping[str, str]
) -> AsyncIterator["MailOffice"]:
    """Postfix in front of Dovecot, as a company runs them: mail for its domains goes to the accounts (address to
    password), mail for others to ``smtp-sink`` and only after a log-in. Unknown users come back as Postfix's notice.
    """
    ports = {"lmtp": free_port(), "login": free_port()}
    lines = [f"{address}:{{PLAIN}}{password}::::::" for address, password in accounts.items()]
    (folder / "accounts").write_text("\n".join(lines))
    changes = {
        "relay_domains": " ".join({address.rpartition("@")[2] for address in accounts}),
        "relay_transport": f"lmtp:inet:127.0.0.1:{ports['lmtp']}",
        "mynetworks": "192.0.2.1/32",  # nobody here: whoever wants to relay must log in
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": f"inet:127.0.0.1:{ports['login']}",
        "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
    }
    async with AsyncExitStack() as stack:
        outside, taken = await stack.enter_async_context(smtp_sink(folder))
        imap = await stack.enter_async_context(_dovecot(folder, certificate, _LISTED, **ports))
        smtp = await stack.enter_async_context(postfix(folder, outside, certificate, changes))
        yield MailOffice(smtp, Server("127.0.0.1", imap, Tls.NONE), taken)


@dataclass(frozen=True, slots=True)
class MailOffice:
    """``outside`` holds a file for each message that left."""

    smtp: Server
    imap: Server
    outside: Path


@asynccontextmanager
async def _dovecot(
    folder: Path, certificate: tuple[Path, Path], accounts: str, *, sent: bool = True, **values: object
) -> AsyncIterator[int]:
    port = free_port()
    for name in ("run", "state", "mail"):
        (folder / name).mkdir(parents=True)
    open_to_servers(folder)
    (folder / "mail").chmod(0o777)
    settings = {
        "folder": folder, "port": port, "user": "nobody", "group": "nogroup", "certificate": certificate[0],
        "key": certificate[1], "ssl": "yes", "sent": _SENT if sent else "", **values,
    }  # fmt: skip
    configuration = folder / "dovecot.conf"
    configuration.write_text(_DOVECOT.format(accounts=accounts.format(**settings), **settings))
    async with running(
        [program("dovecot") or "", "-F", "-c", str(configuration)], port, folder / "start.log"
    ):
        yield port
