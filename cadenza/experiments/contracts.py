"""Experiments as other rooms see them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm that a unit got, and how likely that was: what an honest analysis needs."""

    arm: str
    probability: float
