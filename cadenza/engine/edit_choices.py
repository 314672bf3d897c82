"""What a campaign can be made of: the people, senders and words that the editor's fields offer."""

from typing import Any

from cadenza.audience.service import imports, segments
from cadenza.campaigns.contracts import Edit
from cadenza.channels.service import mailboxes, pools
from cadenza.core.unit import Unit
from cadenza.identity.contracts import Actor
from cadenza.web.service import gettext

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


async def choices(unit: Unit, actor: Actor) -> dict[str, Any]:
    """What a campaign can be made of here."""
    files = list(dict.fromkeys(each.file for each in await imports(unit, actor)))
    return {
        "files": files,
        "addresses": [box.address for box in await mailboxes(unit)],
        "pools": [pool.name for pool in await pools(unit)],
    }


async def made_of(unit: Unit, actor: Actor, edit: Edit) -> dict[str, Any]:
    """The files and mailboxes to choose from, with those that the copy names although they are not here."""
    here = await choices(unit, actor)
    ((kind, name),) = edit.tree["audience"].items()
    people = [("contacts", file) for file in here["files"]] + [
        ("segment", s.name) for s in await segments(unit, actor)
    ]
    named = [str(each) for each in edit.tree["senders"].get("mailboxes", [])]
    return {
        "who": f"{kind} {name}",
        "audiences": [
            (f"{key} {value}", value if key == "contacts" else gettext("segment %(name)s") % {"name": value})
            for key, value in dict.fromkeys([*people, (kind, str(name))])
        ],
        "addresses": [(each, each) for each in dict.fromkeys([*here["addresses"], *named])],
        "pools": [
            ("", gettext("the mailboxes chosen above")),
            *((each, each) for each in _pools(edit, here["pools"])),
        ],
    }


def _pools(edit: Edit, here: list[str]) -> list[str]:
    """The pools, with the one that the copy names although it is not here, or is called so no more."""
    named = str(edit.tree["senders"].get("pool", ""))
    return list(dict.fromkeys([*here, *([named] if named else [])]))


def options(edit: Edit, number: int, days: list[str]) -> dict[str, Any]:
    """What the fields of the form offer, with the words that a reader sees."""
    ids = [each["id"] for each in edit.tree["steps"]]
    metrics = {
        "delivered": gettext("delivered"), "human_opens": gettext("opens by people"), "clicks": gettext("clicks"),
        "replies": gettext("replies"), "positive_replies": gettext("positive replies"), "meetings": gettext("meetings"),
        "opportunities": gettext("opportunities"), "won_value": gettext("value won"),
    }  # fmt: skip
    stops = {
        "reply": gettext("a reply"), "meeting": gettext("a meeting"), "opt_out": gettext("a stop"), "bounce": gettext("a bounce"),
    }  # fmt: skip
    return {
        "metrics": list(metrics.items()),
        "stops": list(stops.items()),
        "weekdays": list(zip(_DAYS, days, strict=True)),
        "actions": [
            ("send", gettext("an e-mail")),
            ("view_profile", gettext("a look at their profile")),
            ("connect", gettext("an invitation")),
            ("message", gettext("a LinkedIn message")),
            ("call", gettext("a call")),
        ],
        "holidays": [("recipient", gettext("those of their country are free")), ("none", gettext("none"))],
        "threads": [
            ("new", gettext("a new thread")),
            *((each, gettext("answers %(step)s") % {"step": each}) for each in ids[:number]),
        ],
        "laters": [("", gettext("the next step")), *((each, each) for each in ids[number + 1 :])],
    }
