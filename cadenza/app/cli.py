"""The command line: every command by name, loaded when called."""

from importlib import import_module
from typing import Any

import click

# Loaded when called, so that `--help` answers at once. Name: (where the click command is, what it is for).
COMMANDS = {
    "up": ("cadenza.app.starting:up", "Start everything on this machine."),
    "migrate": ("cadenza.app.starting:migrate", "Bring the database to this version's schema."),
    "setup-link": ("cadenza.app.starting:setup_link", "Print a link for the first owner."),
    "web": ("cadenza.app.processes:web", "Serve the pages and the API."),
    "worker": ("cadenza.app.processes:worker", "Send, read mail and do background work."),
    "sandbox": ("cadenza.app.processes:sandbox", "Serve a local world to send into."),
    "contacts": ("cadenza.audience.commands:contacts", "Import people and companies."),
    "campaigns": ("cadenza.engine.commands:campaigns", "Apply, launch, pause, resume and stop campaigns."),
    "senders": ("cadenza.channels.commands:senders", "Add and test mailboxes."),
    "pools": ("cadenza.channels.sender_commands:pools", "Group mailboxes that campaigns send from."),
    "channels": (
        "cadenza.channels.accounts_commands:channels",
        "Add and test accounts of LinkedIn and phone.",
    ),
    "touches": ("cadenza.engine.commands:touches", "Explain and plan touches."),
    "replies": ("cadenza.inbox.commands:replies", "Say what a reply means."),
    "mail": ("cadenza.inbox.commands:mail", "Say what kind of mail a message is."),
    "backup": ("cadenza.operations.backup_commands:backup", "Make, prove and bring back encrypted backups."),
    "sending": ("cadenza.operations.commands:sending", "See, begin and end the hold on sending."),
    "members": ("cadenza.identity.commands:members", "Invite, list and disable members."),
    "tokens": ("cadenza.identity.commands:tokens", "Make, list and revoke API tokens."),
    "mcp": ("cadenza.app.assistant_commands:mcp", "Let an assistant on this machine use tools."),
    "keys": ("cadenza.identity.commands:keys", "Exchange the keys of stored secrets."),
    "audit": ("cadenza.identity.commands:audit", "Check and export the audit trail."),
    "doctor": ("cadenza.operations.commands:doctor", "Check the whole installation and say what to do."),
    "lab": ("cadenza.lab.commands:lab", "Compare policies in a world whose truth is known."),
    "bench": ("cadenza.app.benchmarks.commands:bench", "Measure this machine."),
}

# Commands of another room that belong to the same group for the user.
ADDED = {
    "campaigns": ("cadenza.campaigns.commands:apply", "cadenza.campaigns.commands:show"),
    "senders": (
        *(
            f"cadenza.channels.sender_commands:{name}"
            for name in ("set_sender", "show_sender", "pause_sender", "resume_sender", "go_on")
        ),
        "cadenza.engine.sender_commands:hand_over",
    ),
}


def _load(place: str) -> click.Command:
    module, _, name = place.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


def _heard(command: click.Command) -> click.Command:
    """The engine hears of what the command changes: a new version of a running campaign takes over at once."""
    original = command.callback

    def callback(*arguments: Any, **options: Any) -> Any:
        import_module("cadenza.engine.service")
        return original(*arguments, **options) if original else None

    command.callback = callback
    return command


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = _load(COMMANDS[cmd_name][0])
        if isinstance(command, click.Group):
            for place in ADDED.get(cmd_name, ()):
                command.add_command(_heard(_load(place)))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cadenza")
def cli() -> None:
    """Cadenza runs outbound campaigns by itself."""


def main() -> None:
    cli(prog_name="cadenza")
