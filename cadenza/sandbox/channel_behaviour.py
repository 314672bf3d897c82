"""How the people of a world take what is done to them on LinkedIn and by phone: by the same truth as their mail.

The same person reacts the same way again to the same deed, so that a restart changes nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from cadenza.sandbox import responding
from cadenza.sandbox.channel_people import Deed, Reaction, Responder
from cadenza.sandbox.contracts import Person, World
from cadenza.sandbox.luck import draws
from cadenza.sandbox.people import folded, newcomer, number_of, people, profile_of
from cadenza.sandbox.responding import Arrival, Nature

_ACTIONS = {"visit": "view_profile", "connect": "connect", "message": "message", "call": "call"}
_LIKES, _HAS_MACHINE, _CALLS_BACK = 0.1, 0.5, 0.3  # of those who do not answer otherwise
_ANSWERS = {
    "positive_interest": "This sounds interesting. What would a first step look like?",
    "meeting_request": "Let us talk. Would Thursday at ten suit you?",
    "information_request": "Could you send me a few details first?",
    "objection": "We have a supplier for this and are content.",
    "timing": "Not right now, please try again next quarter.",
    "referral": "This is rather for my colleague in purchasing.",
    "not_interested": "Thank you, we have no need for this.",
    "unsubscribe": "Please do not contact me again.",
    "acknowledgment": "Thanks, I have seen it.",
}
_VOICEMAIL = "Hello, I missed your call. Please try me again tomorrow morning."


def responder(world: World) -> Responder:
    """For the servers of the sandbox. Whoever is not of the world is a newcomer, as with mail."""
    natures = {segment.name: Nature(world, segment) for segment in world.segments}
    everybody = people(world)
    known = {folded(person.name): person for person in everybody}
    known |= {profile_of(person): person for person in everybody}
    known |= {number: person for person in everybody if (number := number_of(person))}
    return partial(_react, world, natures, known)


def _react(
    world: World, natures: Mapping[str, Nature], known: Mapping[str, Person], deed: Deed
) -> list[Reaction]:
    person = known.get(deed.person) or newcomer(world, f"{folded(deed.person)}@newcomers.example")
    nature, luck = natures[person.segment], draws(world.seed, deed.kind, deed.person, deed.number)
    channel = "phone" if deed.kind == "call" else "linkedin"
    arrival = Arrival(channel=channel, action=_ACTIONS[deed.kind], at=deed.at)
    found = nature.react(person, arrival, nature.chances(person, arrival), luck, None)
    if deed.kind == "call":
        return _call(deed, found, luck)
    return _linkedin(deed, person, nature, found, luck)


def _linkedin(
    deed: Deed, person: Person, nature: Nature, found: responding.Reaction, luck: Mapping[str, float]
) -> list[Reaction]:
    if not found.delivered or deed.kind == "visit" or found.hours == 0:
        return []
    at = nature.when(person, found)
    if deed.kind == "connect":
        return [Reaction(kind="accept", at=at)] if found.accepted else []
    reactions = [Reaction(kind="seen", at=nature.when(person, found, 0.6))]
    if found.ending or found.replied:
        intent = "unsubscribe" if found.ending else nature.intent(luck)
        reactions.append(
            Reaction(kind="message", at=at, text=_ANSWERS.get(intent, _ANSWERS["acknowledgment"]))
        )
    elif luck["open"] < _LIKES:
        reactions.append(Reaction(kind="like", at=at, text="👍"))
    return reactions


def _call(deed: Deed, found: responding.Reaction, luck: Mapping[str, float]) -> list[Reaction]:
    ringing = deed.at + timedelta(seconds=5 + 20 * luck["open"])
    if found.connected:
        return [Reaction(kind="talk", at=ringing)]
    kind = "machine" if luck["machine_open"] < _HAS_MACHINE else "no_answer"
    reactions = [Reaction(kind=kind, at=ringing)]
    if luck["click"] < _CALLS_BACK:
        later = deed.at + timedelta(hours=1 + 5 * luck["delay"])
        reactions.append(Reaction(kind="voicemail", at=later, text=_VOICEMAIL))
    return reactions
