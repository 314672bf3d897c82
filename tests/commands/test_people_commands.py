"""``cadenza members``, ``tokens`` and ``audit``, as somebody on the machine types them."""

import json

import psycopg
import pytest

from tests.support.shell import Shell


@pytest.mark.slow
async def test_members_and_tokens_by_command(cadenza: Shell) -> None:
    added = await cadenza("members", "add", "ines@new.example", "--role", "manager", "--json")
    assert added.only["link"].startswith("http://127.0.0.1:")
    assert "/join/" in added.only["link"]
    again = await cadenza("members", "add", "owner@north.example")
    assert again.code == 1
    assert "is a member already" in again.err
    listed = await cadenza("members", "list", "--json")
    assert [(m["email"], m["role"], m["active"]) for m in listed.lines] == [
        ("owner@north.example", "owner", True)
    ]
    last = await cadenza("members", "disable", "owner@north.example")
    assert (last.code, "last owner" in last.err) == (1, True)
    assert "/reset/" in (await cadenza("members", "reset", "owner@north.example")).out
    assert (await cadenza("members", "reset", "--factor", "nobody@north.example")).code == 1
    made = await cadenza(
        "tokens", "create", "nightly", "--member", "owner@north.example", "--scope", "read", "--json"
    )
    assert len(made.only["token"]) >= 40
    (token,) = (await cadenza("tokens", "list", "--json")).lines
    assert (token["name"], token["scopes"], token["used_at"]) == ("nightly", ["read"], None)
    assert (await cadenza("tokens", "revoke", token["id"])).code == 0
    assert (await cadenza("tokens", "list", "--json")).lines == []
    assert (await cadenza("tokens", "revoke", token["id"])).code == 1


@pytest.mark.slow
@pytest.mark.asvs("16.4.2", "16.4.3")
async def test_the_trail_is_exported_and_a_changed_line_is_named(cadenza: Shell) -> None:
    await cadenza("members", "add", "ines@new.example")
    await cadenza("members", "add", "ruth@new.example")
    lines = [json.loads(line) for line in (await cadenza("audit", "export")).out.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    altered = next(line["number"] for line in lines if "ruth@new.example" in line["entry"])
    assert (await cadenza("audit", "verify", "--json")).only == {"whole": True, "broken": None}
    assert (await cadenza("audit", "verify", "--installation")).code == 0
    denied = await cadenza("audit", "verify", "--installation", "--as", "owner@north.example")
    assert denied.code == 1
    with psycopg.connect(cadenza.settings["CADENZA_DATABASE_URL"]) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update audit_entries set actor = 'Mallory' where subject = 'ruth@new.example'")
    broken = await cadenza("audit", "verify", "--json")
    assert broken.code == 1
    assert (broken.only["broken"]["number"], broken.only["broken"]["problem"]) == (altered, "altered")
