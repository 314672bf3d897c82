"""Policies by the names of a campaign file's specification, and what each does to a campaign before it begins."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from cadenza.campaigns.contracts import Definition, Step, Variant, Way
from cadenza.core.errors import CadenzaError
from cadenza.engine.contracts import Policy
from cadenza.engine.service import Adaptive, EmailOnly, Fixed
from cadenza.lab.oracle import Oracle
from cadenza.lab.prospects import Prospect
from cadenza.sandbox.contracts import World
from cadenza.timing.contracts import DatedEvent

ORACLE = "oracle"
_LATER = {"even_split": "It comes with experiments; compare with adaptive or fixed until then."}
_ARGUMENT = "argument."

Maker = Callable[[World, Sequence[Prospect], Definition], Policy]


def _fixed(world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:  # noqa: ARG001
    return Fixed()


def _email_only(world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:  # noqa: ARG001
    return EmailOnly()


def _oracle(world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:
    return Oracle(world, {prospect.facts.key: prospect for prospect in everybody}, definition)


def _adaptive(world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:  # noqa: ARG001
    return Adaptive(announced(world))


def _no_market(world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:  # noqa: ARG001
    return Adaptive(market=False, name="no_market")


def _repeat(world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:  # noqa: ARG001
    return Adaptive(announced(world), repeat=True, name="repeat")


_MAKERS: dict[str, Maker] = {
    "fixed": _fixed,
    "email_only": _email_only,
    "no_market": _no_market,
    "adaptive": _adaptive,
    "repeat": _repeat,
    ORACLE: _oracle,
}


def announced(world: World) -> tuple[DatedEvent, ...]:
    """What the program is told of a world's events: kind, dates and segments, never the factor."""
    return tuple(
        DatedEvent(event.kind, event.start, event.end, event.segments, source="announced")
        for event in world.announced
    )


def check_policy(name: str) -> None:
    """Raises ``policy_later`` and ``policy_unknown``."""
    if name in _LATER:
        raise CadenzaError("policy_later", f"The policy {name} is not there yet.", fix=_LATER[name])
    if name not in _MAKERS:
        raise CadenzaError(
            "policy_unknown", f"There is no policy {name[:60]!r}.", fix=f"Known are {', '.join(_MAKERS)}."
        )


def make(name: str, world: World, everybody: Sequence[Prospect], definition: Definition) -> Policy:
    return _MAKERS[name](world, everybody, definition)


def prepared(name: str, definition: Definition) -> Definition:
    """``repeat`` says the campaign's first argument with every touch, whatever its steps have to say."""
    return _repeating(definition) if name == "repeat" else definition


def _repeating(definition: Definition) -> Definition:
    first = next(
        (a for step in definition.steps for way in step.ways for v in way.variants for a in v.attributes if a.startswith(_ARGUMENT)),
        None,
    )  # fmt: skip
    if first is None:
        return definition
    return replace(definition, steps=tuple(_step_repeating(step, first) for step in definition.steps))


def _step_repeating(step: Step, argument: str) -> Step:
    options = tuple(_way_repeating(way, argument) for way in step.options)
    return replace(step, variants=tuple(_saying(v, argument) for v in step.variants), options=options)


def _way_repeating(way: Way, argument: str) -> Way:
    return replace(way, variants=tuple(_saying(v, argument) for v in way.variants))


def _saying(variant: Variant, argument: str) -> Variant:
    kept = [a for a in variant.attributes if not a.startswith(_ARGUMENT)]
    return replace(variant, attributes=(*kept, argument))
