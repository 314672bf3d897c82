"""`make docs`: the pages of docs/ that are made from the code. A test fails when one is out of date."""

from pathlib import Path

import click

from cadenza.app.assistants import every_tool
from cadenza.app.cli import COMMANDS, cli
from cadenza.core.faults import POINTS
from cadenza.core.settings import Settings
from cadenza.web.tools import Does, Given

_DOCS = Path(__file__).parent.parent / "docs"


def settings_page() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "chosen by system and user" if field.default_factory else field.default
        rows.append(f"| `CADENZA_{name.upper()}` | {_plain(default)} | {field.description} |")
    head = "# Settings\n\nMade from the code by `make docs`. All are environment variables, checked when a process starts.\n\n"
    return head + "| variable | default | meaning |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"


def _plain(value: object) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def commands_page() -> str:
    context = click.Context(cli, info_name="cadenza")
    parts = ["# Commands\n\nMade from the code by `make docs`.\n"]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is not None and not command.hidden:
            parts += _describe(command, f"cadenza {name}")
    return "\n".join(parts)


def _describe(command: click.Command, path: str) -> list[str]:
    if isinstance(command, click.Group):
        return [
            part
            for name in sorted(command.commands)
            for part in _describe(command.commands[name], f"{path} {name}")
        ]
    with click.Context(command, info_name=path, terminal_width=100, max_content_width=100) as context:
        return [f"## `{path}`\n", "```text", context.get_help(), "```\n"]


def faults_page() -> str:
    head = (
        "# Crash points\n\nMade from the code by `make docs`. `FAULT=point:n` kills a process at the nth visit of a point;\n"
        "the fault tests kill at every one of them.\n\n| point | what is true there |\n| --- | --- |\n"
    )
    return head + "".join(f"| `{name}` | {words} |\n" for name, words in POINTS.items())


def tools_page() -> str:
    does = {
        Does.READS: "reads",
        Does.PROPOSES: "proposes; a person approves",
        Does.ACTS: "acts at once; can be taken back",
    }
    head = (
        "# Tools for assistants\n\nMade from the code by `make docs`. How to connect: [assistants](assistants.md). A tool whose right\n"
        "a member's role or token lacks is not listed to them. `?` marks what may be left out.\n\n"
        "| tool | takes | does | right |\n| --- | --- | --- | --- |\n"
    )
    rows = [
        f"| `{tool.name}`: {tool.description} | {_arguments(tool.given)} | {does[tool.does]} | `{tool.needs}` |\n"
        for tool in every_tool()
    ]
    return head + "".join(rows)


def _arguments(given: type[Given]) -> str:
    fields = given.model_fields.items()
    return ", ".join(f"`{name}`{'' if field.is_required() else '?'}" for name, field in fields) or "nothing"


PAGES = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "crash-points.md": faults_page,
    "assistant-tools.md": tools_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (_DOCS / name).write_text(page())
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
