"""Every command's JSON, as it is promised to scripts: exact keys and types, nothing else on standard output, exit codes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cadenza.core.clock import ManualClock
from tests.support.campaigns import TWO_STEPS, document, people
from tests.support.post import PASSWORD, Post, post_office
from tests.support.shell import Shell

SENDER = "anna@north.example"
MAIL = (
    "From: Ann <ann@acme.de>\r\nTo: tom@own.example\r\nSubject: Re: hi\r\nMessage-ID: <m@x>\r\n"
    "Date: Mon, 23 Nov 2026 09:00:00 +0100\r\n\r\nThursday at 3pm works.\r\n"
)
STATUS = {
    "campaign": str, "version": int, "state": str, "enrolled": int, "due": int, "next_due_at": str | None,
    "counts": dict, "steps": list,
}  # fmt: skip
IMPORT = {
    "file": str, "dry_run": bool, "encoding": str, "delimiter": str, "mapping": dict, "rows": int, "accepted": int,
    "created": int, "updated": int, "duplicates": int, "merged": list, "rejected": list, "preview": list, "seconds": float,
}  # fmt: skip
PREVIEW = {
    "row": int, "email": str | None, "first_name": str | None, "last_name": str | None, "title": str | None,
    "company": str | None, "phone_e164": str | None, "linkedin_url": str | None, "website": str | None,
    "country": str | None, "language": str | None, "timezone": str | None, "custom": dict,
}  # fmt: skip
APPLIED = {
    "campaign": str, "version": int | None, "created": bool, "changes": list, "errors": list, "rejected": list, "warnings": list,
}  # fmt: skip
WARNING = {"line": int | None, "key": str, "message": str}
SENDER_ADDED = {"sender": str, "address": str, "ok": bool, "detail": str}
CLASSIFIED = {"file": str, "kind": str, "bounces": list, "auto": dict | None, "from": str, "thread_key": str}
ANALYSIS = {
    "language": str, "text": str, "intent": str, "confidence": float, "interest": str, "sentiment": float, "urgency": str,
    "objections": list, "authority": str, "buying_stage": str, "focus": str, "queue": str, "return_date": str | None,
    "referrals": list, "competitors": list, "budget": dict | None, "proposed_times": list, "questions": list,
    "needs_person": bool, "evidence": dict, "signals": dict,
}  # fmt: skip
PLANNED = {
    "step": str, "channel": str, "variant": str, "at": str, "local_time": str, "why": str, "unless": str | list,
}  # fmt: skip


def shaped(value: dict[str, Any], shape: dict[str, Any]) -> None:
    """Has every key of the shape with its type; an added key is no break."""
    assert shape.keys() <= value.keys(), shape.keys() - value.keys()
    for key, kind in shape.items():
        assert isinstance(value[key], kind), f"{key}: {value[key]!r}"
        assert kind is not int or not isinstance(value[key], bool), key


@pytest.fixture(scope="module")
async def post(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Post]:
    world = ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    async with post_office(tmp_path_factory.mktemp("post"), world, [SENDER]) as office:
        yield office


async def add_sender(cadenza: Shell, post: Post, *, password: str = PASSWORD) -> Any:
    servers = [f"--smtp=127.0.0.1:{post.smtp.port}", f"--imap=127.0.0.1:{post.imap.port}", "--tls=none"]
    return await cadenza(
        "senders", "add", SENDER, *servers, "--user", SENDER, "--json", stdin=f"{password}\n"
    )


async def test_the_life_of_a_campaign(cadenza: Shell, post: Post) -> None:
    """From a mailbox and a file of people to a campaign that is stopped, each command in turn."""
    refused = await add_sender(cadenza, post, password="wrong")
    assert (refused.code, refused.only["ok"]) == (1, False)
    added = await add_sender(cadenza, post)
    assert added.code == 0
    shaped(added.only, SENDER_ADDED)
    assert (added.only["address"], added.only["ok"]) == (SENDER, True)
    assert PASSWORD not in added.out.replace(SENDER, "")
    tested = await cadenza("senders", "test", SENDER, "--json")
    shaped(tested.only, SENDER_ADDED)
    listed = await cadenza("senders", "list", "--json")
    assert [box["address"] for box in listed.only] == [SENDER]

    file = cadenza.file("people.csv", people(3))
    for dry_run in (True, False):
        imported = await cadenza("contacts", "import", file, "--json", *["--dry-run"] * dry_run)
        assert imported.code == 0
        shaped(imported.only, IMPORT)
        shaped(imported.only["preview"][0], PREVIEW)
        assert (imported.only["dry_run"], imported.only["created"], imported.only["accepted"]) == (
            dry_run,
            3,
            3,
        )

    campaign = cadenza.file("spring.yaml", document(TWO_STEPS, senders=[SENDER]))
    applied = await cadenza("campaigns", "apply", campaign, "--json")
    shaped(applied.only, APPLIED)
    assert (applied.code, applied.only["version"], applied.only["created"], applied.only["errors"]) == (
        0,
        1,
        True,
        [],
    )
    assert applied.only["warnings"] == []
    empty = cadenza.file("empty.yaml", document(name="empty", senders=["nobody@north.example"]))
    warned = await cadenza("campaigns", "apply", empty, "--json")
    assert (warned.code, warned.only["errors"]) == (0, [])
    shaped(warned.only, APPLIED)
    (warning,) = warned.only["warnings"]
    shaped(warning, WARNING)
    assert (warning["line"], warning["key"]) == (4, "senders.mailboxes")
    assert "nobody@north.example" in warning["message"]
    for command, state in [
        ("status", "draft"),
        ("launch", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("stop", "stopped"),
    ]:
        ran = await cadenza("campaigns", command, "spring", "--json")
        assert ran.code == 0, ran.err
        shaped(ran.only, STATUS)
        assert (ran.only["campaign"], ran.only["state"]) == ("spring", state)
        if command == "launch":
            assert (ran.only["enrolled"], {s["step"] for s in ran.only["steps"]} <= {"intro", "follow"}) == (
                3,
                True,
            )
            planned = await cadenza(
                "touches", "plan", "--contact", "p0@firm0.example", "--campaign", "spring", "--json"
            )
            for step in planned.only:
                shaped(step, PLANNED)
            assert [step["step"] for step in planned.only] == ["intro", "follow"]
            listed = await cadenza("touches", "list", "--contact", "p0@firm0.example", "--json")
            assert (listed.code, listed.only) == (0, [])
    ended = await cadenza("touches", "plan", "--contact", "p0@firm0.example", "--campaign", "spring")
    assert (ended.code, ended.out, "has ended" in ended.err) == (0, "", True)
    for command in ("launch", "resume", "pause"):
        ran = await cadenza("campaigns", command, "spring", "--json")
        assert (ran.code, set(ran.only), set(ran.only["error"])) == (1, {"error"}, {"code", "message"})


async def test_mail_and_replies_need_no_installation(bare: Shell) -> None:
    mail = bare.file("one.eml", MAIL)
    kind, meaning = await asyncio.gather(bare("mail", "classify", mail), bare("replies", "analyze", mail))
    assert (kind.code, meaning.code) == (0, 0)
    shaped(kind.only, CLASSIFIED)
    shaped(meaning.only, ANALYSIS)
    assert (kind.only["kind"], meaning.only["intent"]) == ("person", "meeting_request")
    assert not (bare.folder / "home").exists()


async def test_a_dry_run_without_an_installation_says_so(bare: Shell) -> None:
    ran = await bare("contacts", "import", bare.file("people.csv", people(2)), "--dry-run", "--json")
    assert (ran.code, ran.only["created"]) == (0, 2)
    assert "nothing stored" in ran.err
    assert not (bare.folder / "home").exists()


@pytest.mark.parametrize(
    "command", [("contacts", "import"), ("campaigns", "apply"), ("mail", "classify"), ("replies", "analyze")]
)
async def test_several_files_give_a_line_each_in_their_order(
    cadenza: Shell, command: tuple[str, str]
) -> None:
    good = {
        "contacts": ("good.csv", b"email\nann@acme.example\n"),
        "campaigns": ("good.yaml", document(name="several").encode()),
        "mail": ("good.eml", MAIL.encode()),
        "replies": ("good.eml", MAIL.encode()),
    }[command[0]]
    fine, missing = cadenza.file(*good), cadenza.folder / "missing.eml"
    options = () if command[0] in ("mail", "replies") else ("--json",)
    ran = await cadenza(*command, missing, fine, cadenza.folder, *options)
    assert ran.code == 1
    first, second, third = ran.lines
    for line, file in ((first, missing), (third, cadenza.folder)):
        assert (set(line), line["file"]) == ({"file", "error"}, str(file))
        shaped(line["error"], {"code": str, "message": str})
        assert line["error"]["code"] == "file_unreadable"
    assert "error" not in second


COMMANDS = [
    (), ("contacts",), ("contacts", "import"), ("campaigns",), ("campaigns", "apply"), ("campaigns", "launch"),
    ("senders",), ("senders", "add"), ("touches",), ("touches", "explain"), ("touches", "plan"), ("mail", "classify"),
    ("replies", "analyze"), ("bench",),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c) or "cadenza")
async def test_help_answers_within_half_a_second(bare: Shell, command: tuple[str, ...]) -> None:
    """The quickest of three: a busy machine is no slow command."""
    runs = [await bare.alone(*command, "--help") for _ in range(3)]
    assert {ran.code for ran in runs} == {0}
    assert runs[0].out.startswith("Usage: ")
    assert min(ran.seconds for ran in runs) < 0.5
    assert not (bare.folder / "home").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",), ("contacts", "import"), ("campaigns", "apply"), ("campaigns", "status"), ("campaigns", "launch"),
        ("contacts", "import", "x.csv", "--map", "nonsense"), ("contacts", "import", "x.csv", "--nonsense"),
        ("senders", "add", "a@x.example"), ("touches", "explain", "no-id"), ("touches", "plan", "--contact", "a@x.example"),
        ("replies", "analyze", "--format", "xml", "x"), ("mail", "classify"),
    ],
    ids=" ".join,
)  # fmt: skip
async def test_called_wrongly_is_exit_two(bare: Shell, arguments: tuple[str, ...]) -> None:
    ran = await bare(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: " in ran.err or "Error: " in ran.err


async def test_rights_of_the_member_that_is_named(cadenza: Shell) -> None:
    ran = await cadenza("campaigns", "status", "spring", "--as", "nobody@north.example", "--json")
    assert (ran.code, ran.only["error"]["code"]) == (1, "member_not_found")
    ran = await cadenza("campaigns", "status", "spring", "--workspace", "elsewhere", "--json")
    assert (ran.code, ran.only["error"]["code"]) == (1, "workspace_not_found")


async def test_what_is_not_there_is_told(cadenza: Shell) -> None:
    for arguments in (
        ("campaigns", "status", "nowhere"), ("campaigns", "launch", "nowhere"), ("senders", "test", "no@x.example"),
        ("touches", "explain", "01a207f0-cacb-7ad2-8650-5f59e34c7598"),
        ("touches", "plan", "--contact", "no@x.example", "--campaign", "nowhere"),
    ):  # fmt: skip
        ran = await cadenza(*arguments, "--json")
        assert (ran.code, set(ran.only)) == (1, {"error"}), arguments
        assert "not_found" in ran.only["error"]["code"], ran.only
