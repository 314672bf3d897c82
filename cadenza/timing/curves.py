"""How people respond by hour of the week, learned from counts and pooled: a person's segments lean on everybody, everybody
on a mild prior.

The index of an hour is what was observed there over what would be expected at an hour without influence: indirect
standardisation over strata (channel, action, touches of the week before, dated events), so that hours are not blamed for
the tired, nor for a fair. Each level is the Gamma prior of the next and is updated by Gamma-Poisson shrinkage
(Clayton and Kaldor, Biometrics 43, 1987, 671-681). Opens come first and leave some doubt, replies then decide.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cadenza.timing.contracts import CurveRow

WEEK = 168
SHOWN, OPENED, RESPONDED, WON, STOPPED = range(5)
_COUNTS = 5
MOST_RECENT = 3  # touches of the last seven days that are told apart; more count as so many

Stratum = tuple[str, str, int, str]
"""Channel, action, recent touches, kinds of dated events that were on."""
Cells = NDArray[np.float64]
T = TypeVar("T", float, Cells)

_PRIOR_SPREAD = 0.35  # standard deviation of an hour's index before anything is known
_SEGMENT_SPREAD = 0.2  # of a segment around everybody
_DAY_SPREAD = 0.1  # of one weekday's hour around that hour of all weekdays
_OPENS_SPREAD = 0.04  # of the index of replies around that of opens
_EARLIEST, _LATEST = 8, 11
_MORNING = 1.1
"""Mornings do a little better: whoever gets more mail in a day answers a smaller share of it (Kooti et al., Evolution of
Conversations in the Age of Email Overload, WWW 2015). The size is ours and soon outweighed."""
_TURNS = 6
_STEADY = 3.0  # outcomes that hold the index of a rarely used hour near 1 while rates are fitted
_BASE_WEIGHT = 20.0  # touches that a segment's base rate borrows from everybody's


@dataclass(frozen=True, slots=True)
class HourIndex:
    """For each hour of the week the factor on responses, 1 for an average hour, and how unsure that is (standard deviation)."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share and the number of touches that stand behind it, those of the prior included."""

    mean: float
    weight: float


class Curves:
    """What was learned, as counts; everything else is computed from them. Equal after a round through ``rows``."""

    def __init__(self, rows: Iterable[CurveRow] = ()) -> None:
        self._scopes: dict[str, dict[Stratum, Cells]] = {}
        self.changes = 0
        for row in rows:
            cells = self._cells(row.scope, (row.channel, row.action, row.recent, row.market))
            cells[:, row.hour] += (row.shown, row.opened, row.responded, row.won, row.stopped)
            self.changes += row.shown

    def count(self, scopes: Iterable[str], stratum: Stratum, hour: int, what: int) -> None:
        """One more touch that was shown, or one of its outcomes, in these scopes; everybody is counted besides."""
        for scope in ("", *scopes):
            self._cells(scope, stratum)[what, hour] += 1
        self.changes += 1

    def rows(self) -> Iterator[CurveRow]:
        """Every cell in which something was counted, in order."""
        for scope, strata in sorted(self._scopes.items()):
            for stratum, cells in sorted(strata.items()):
                for hour in np.flatnonzero(cells.any(axis=0)):
                    shown, opened, responded, won, stopped = (int(n) for n in cells[:, hour])
                    yield CurveRow(scope, *stratum, int(hour), shown, opened, responded, won, stopped)

    def hours(self, groups: Sequence[str]) -> HourIndex:
        """The curve of somebody of these segments, the narrowest first."""
        mean, variance = prior_hours()
        mean, variance = _learn(mean, variance, self._evidence("", by_day=False))
        for scope in reversed(groups):
            if scope in self._scopes:
                wider = variance + _SEGMENT_SPREAD**2 * mean**2
                mean, variance = _learn(mean, wider, self._evidence(scope, by_day=False))
        nearest = next((g for g in groups if g in self._scopes), "")
        wider = variance + _DAY_SPREAD**2 * mean**2
        mean, variance = _learn(mean, wider, self._evidence(nearest, by_day=True))
        return HourIndex(tuple(mean.tolist()), tuple(np.sqrt(variance).tolist()))

    def totals(self, scope: str, channel: str, action: str) -> dict[tuple[int, str], Cells]:
        """What happened in a scope by recent touches and market: shown, opened, responded, won and stopped."""
        return {
            (recent, market): cells.sum(axis=1)
            for (c, a, recent, market), cells in self._scopes.get(scope, {}).items()
            if (c, a) == (channel, action)
        }

    def kinds(self, scope: str) -> set[tuple[str, str]]:
        """Channels and actions that were used in a scope."""
        return {(channel, action) for channel, action, _, _ in self._scopes.get(scope, {})}

    def rate(self, groups: Sequence[str], channel: str, action: str, what: int, start: Rate) -> Rate:
        """The share of touches with this outcome for somebody of these segments, from ``start`` on while little is known."""
        found = start
        for scope in ("", *reversed(groups)):
            if scope not in self._scopes and scope:
                continue
            counts = sum(self.totals(scope, channel, action).values(), np.zeros(_COUNTS))
            weight = min(found.weight, _BASE_WEIGHT) if scope else found.weight
            shown = float(counts[SHOWN])
            found = Rate((found.mean * weight + float(counts[what])) / (weight + shown), weight + shown)
        return found

    def effect(self, groups: Sequence[str], kind: str, assumed: float) -> Rate:
        """The factor of a kind of dated event on responses, learned by comparing its days with ordinary ones.

        ``weight`` is the responses expected on those days, plus what the assumption counts for.
        """
        mean, variance = assumed, 0.3**2 * assumed**2
        seen = 0.0
        for scope in ("", *reversed(groups)):
            if not scope or scope in self._scopes:
                for what in (OPENED, RESPONDED):
                    observed, expected = self._on_days_of(scope, kind, what)
                    mean, variance = _update(mean, variance, observed, expected)
                    seen = max(seen, expected)
                variance += 0.1**2 * mean**2
        return Rate(float(mean), seen)

    def _on_days_of(self, scope: str, kind: str, what: int) -> tuple[float, float]:
        """Observed on days of the kind, and expected from ordinary days with as many recent touches."""
        observed = expected = 0.0
        strata = self._scopes.get(scope, {})
        for (channel, action, recent, market), cells in strata.items():
            ordinary = strata.get((channel, action, recent, ""))
            if kind in market.split("+") and ordinary is not None and ordinary[SHOWN].sum() > 0:
                observed += float(cells[what].sum())
                expected += float(cells[SHOWN].sum() * ordinary[what].sum() / ordinary[SHOWN].sum())
        return observed, expected

    def _cells(self, scope: str, stratum: Stratum) -> Cells:
        strata = self._scopes.setdefault(scope, {})
        if (found := strata.get(stratum)) is None:
            found = strata[stratum] = np.zeros((_COUNTS, WEEK))
        return found

    def _evidence(self, scope: str, *, by_day: bool) -> "tuple[_Counted, _Counted]":
        """Opens and replies of a scope; weekdays are taken together unless ``by_day``, and so are the days of the weekend."""
        strata = list(self._scopes.get(scope, {}).values())
        if not strata:
            return _Counted.nothing(), _Counted.nothing()
        whole = np.array(strata)
        if not by_day:
            whole = _over_days(whole)
        return tuple(_Counted.of(whole[:, SHOWN], whole[:, what]) for what in (OPENED, RESPONDED))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Observed and expected outcomes by hour of the week, over strata; ``sharpness`` is how much more shares say than
    Poisson counts: their variance is smaller by (1 - p).
    """

    observed: Cells
    expected: Cells
    sharpness: float = 1.0

    @classmethod
    def nothing(cls) -> "_Counted":
        return cls(np.zeros(WEEK), np.zeros(WEEK))

    @classmethod
    def of(cls, shown: Cells, outcomes: Cells) -> "_Counted":
        """Strata may have used other hours than their neighbours, so their rates and the hours' indices are fitted in turns:
        the maximum of a Poisson likelihood with two main effects (Deming and Stephan, Ann. Math. Stat. 11, 1940, 427-444).
        """
        observed, total = outcomes.sum(axis=0), outcomes.sum(axis=1)
        index = np.ones(WEEK)
        for _ in range(_TURNS):
            exposed = shown @ index
            rates = np.divide(total, exposed, out=np.zeros_like(total), where=exposed > 0)
            expected = rates @ shown
            index = (observed + _STEADY) / (expected + _STEADY)
        share = min(float(observed.sum() / max(float(shown.sum()), 1.0)), 0.9)
        return cls(observed, expected, 1 / (1 - share))


@cache
def prior_hours() -> tuple[Cells, Cells]:
    """Mean and variance of the index of each hour before anything is known."""
    day = np.ones(24)
    day[_EARLIEST:_LATEST] = _MORNING
    return np.tile(day, 7), np.full(WEEK, _PRIOR_SPREAD**2)


def _over_days(cells: Cells) -> Cells:
    """The last axis with weekdays taken together, and the days of the weekend."""
    week = cells.reshape(*cells.shape[:-1], 7, 24)
    work, rest = week[..., :5, :].sum(axis=-2), week[..., 5:, :].sum(axis=-2)
    return np.concatenate([work] * 5 + [rest] * 2, axis=-1)


def _learn(mean: Cells, variance: Cells, evidence: tuple[_Counted, _Counted]) -> tuple[Cells, Cells]:
    opens, replies = evidence
    if opens.expected.any():
        mean, variance = _update(
            mean, variance, opens.observed * opens.sharpness, opens.expected * opens.sharpness
        )
        variance = variance + _OPENS_SPREAD**2 * mean**2
    if replies.expected.any():
        mean, variance = _update(mean, variance, replies.observed, replies.expected)
    return mean, variance


def _update(mean: T, variance: T, observed: T, expected: T) -> tuple[T, T]:
    """A Gamma prior of this mean and variance after so many observed events where so many were expected at index 1."""
    rate = mean / variance
    after = (mean * rate + observed) / (rate + expected)
    return after, after / (rate + expected)
