"""How the people of a world take what is done to them on LinkedIn and by phone: by the chances of their segment.

The same person reacts the same way again to the same deed, so that a restart changes nothing.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta

from cadenza.sandbox.channel_people import Deed, Reaction, Responder
from cadenza.sandbox.contracts import World

# Where a world says nothing of a channel.
_LINKEDIN = {"accept": 0.30, "reply": 0.14}
_PHONE = {"connect": 0.10, "converse": 0.55}
_HOURS = (1.0, 30.0)  # until somebody looks at LinkedIn
_SEEN, _LIKE, _CALLS_BACK = 0.6, 0.1, 0.3
_ANSWERS = (
    "Thanks for reaching out. What would a first step look like?",
    "Interesting. Could you send me a few details?",
    "Not right now, please try again next quarter.",
)
_VOICEMAILS = (
    "Hello, I missed your call. Please try me again tomorrow morning.",
    "Hi, calling you back. Send me an e-mail with the details, please.",
)


def responder(world: World) -> Responder:
    """For the servers of the sandbox."""

    def react(deed: Deed) -> Sequence[Reaction]:
        luck = random.Random(f"{world.seed}|{deed.kind}|{deed.person}|{deed.number}")
        segment = luck.choice(world.segments)
        if deed.kind == "call":
            return _call(deed, luck, {**_PHONE, **segment.channels.get("phone", {})})
        return _linkedin(deed, luck, {**_LINKEDIN, **segment.channels.get("linkedin", {})})

    return react


def _linkedin(deed: Deed, luck: random.Random, chances: Mapping[str, float]) -> list[Reaction]:
    at = deed.at + timedelta(hours=luck.uniform(*_HOURS))
    if deed.kind == "connect":
        return [Reaction(kind="accept", at=at)] if luck.random() < chances["accept"] else []
    if deed.kind != "message" or luck.random() >= _SEEN:
        return []
    found = [Reaction(kind="seen", at=at)]
    if luck.random() < _LIKE:
        found.append(Reaction(kind="like", at=at + timedelta(minutes=1), text="👍"))
    if luck.random() < chances["reply"] / _SEEN:
        found.append(Reaction(kind="message", at=at + timedelta(minutes=20), text=luck.choice(_ANSWERS)))
    return found


def _call(deed: Deed, luck: random.Random, chances: Mapping[str, float]) -> list[Reaction]:
    ringing = deed.at + timedelta(seconds=luck.uniform(5, 25))
    if luck.random() < chances["connect"]:
        return [Reaction(kind="talk", at=ringing)]
    kind = luck.choice(("no_answer", "machine"))
    found = [Reaction(kind=kind, at=ringing)]
    if luck.random() < _CALLS_BACK:
        later = deed.at + timedelta(hours=luck.uniform(1, 6))
        found.append(Reaction(kind="voicemail", at=later, text=luck.choice(_VOICEMAILS)))
    return found
