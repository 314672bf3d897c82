"""A process that has read the libraries once and forks a process for each command: a second less for each of them.

Only other people's libraries. Everything of ours is imported by each command anew, so that an import that is missing
is missing here, too. The command has its own arguments, folder, environment, standard streams and exit code.
"""

import array
import json
import os
import runpy
import select
import signal
import socket
import sys
from importlib import import_module
from typing import Any

LIBRARIES = (
    "alembic.command", "argon2", "babel", "click", "cryptography.fernet", "email_validator", "fastapi", "httpx", "jinja2",
    "joserfc", "liquid", "phonenumbers", "procrastinate", "psycopg", "psycopg_pool", "pydantic_settings", "pyotp", "pyrage",
    "ruamel.yaml", "sqlalchemy.dialects.postgresql", "sqlalchemy.ext.asyncio", "sqlalchemy.orm", "structlog", "zxcvbn",
)  # fmt: skip
_LARGEST = 1_000_000  # bytes of arguments and environment


def ask(connection: socket.socket, task: dict[str, Any], streams: tuple[int, int, int]) -> None:
    socket.send_fds(connection, [json.dumps(task).encode()], streams)
    connection.shutdown(socket.SHUT_WR)


def _heard(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    said, streams, _, _ = socket.recv_fds(connection, _LARGEST, 3)
    while more := connection.recv(_LARGEST):
        said += more
    return json.loads(said), streams


def _wait_for_work(listener: socket.socket) -> dict[str, Any] | None:
    """Returns in each forked command with its task; in the process that forks, with nothing once nobody asks any more."""
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            return None
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _in_its_place(connection)
        connection.close()


def _in_its_place(connection: socket.socket) -> dict[str, Any]:
    """One process waits for the command and tells its exit code; the other becomes the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    task, streams = _heard(connection)
    if child := os.fork():
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        connection.sendall(array.array("i", [os.waitstatus_to_exitcode(status)]).tobytes())
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return task


def _become(task: dict[str, Any]) -> None:
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["environment"])
    sys.path[0] = task["folder"]
    sys.argv = ["cadenza", *task["arguments"]]
    runpy.run_module("cadenza.app", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as waiting:
        found = _wait_for_work(waiting)
    if found:
        _become(found)
