"""What every command of the command line shares: options, JSON on standard output, errors in words."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import click

from cadenza.core.errors import CadenzaError

_Function = TypeVar("_Function", bound=Callable[..., Any])


def workspace_options(function: _Function) -> _Function:
    """Adds ``--workspace NAME`` and ``--as EMAIL`` (given as ``workspace`` and ``as_email``)."""
    function = click.option("--workspace", help="Which workspace; needless when there is one.")(function)
    return click.option("--as", "as_email", metavar="EMAIL", help="Act with this member's rights.")(function)


def json_option(function: _Function) -> _Function:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")(function)


def run_async(function: Callable[..., Coroutine[Any, Any, int | None]]) -> Callable[..., None]:
    """Run the coroutine; its number is the exit code. A ``CadenzaError`` is words on standard error and exit 1."""

    @wraps(function)
    def command(*args: Any, **options: Any) -> None:
        _must_be_text(options)
        try:
            code = asyncio.run(function(*args, **options))
        except CadenzaError as wrong:
            report(wrong, as_json=bool(options.get("as_json")))
            code = 1
        if code:
            sys.exit(code)

    return command


def _must_be_text(options: dict[str, Any]) -> None:
    """Bytes that are no UTF-8 arrive as lone surrogates; no name here has any. Paths may, and are no ``str``."""
    for name, value in options.items():
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise click.UsageError(f"{name.replace('_', ' ')} is no UTF-8 text.")


def report(wrong: CadenzaError, *, as_json: bool = False) -> None:
    """An error for people on standard error; with ``--json`` also as an object on standard output."""
    if as_json:
        echo_json({"error": {"code": wrong.code, "message": str(wrong)}})
    click.echo(f"{wrong.message} {wrong.fix}".strip(), err=True)
    for problem in wrong.problems:
        where = f"line {problem.line}: " if problem.line else ""
        click.echo(f"  {where}{problem.message}", err=True)


def echo_json(value: object) -> None:
    """One line of JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
