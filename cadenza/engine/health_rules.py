"""When a sender's figures are fine, worth watching, or a reason to stop: rules as data, each with its source."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cadenza.analytics.contracts import SenderCounts
from cadenza.channels.contracts import HealthState, SenderFigures, Stop

BACK_AFTER = timedelta(
    days=7
)  # Google and Yahoo, sender requirements of 2024: mitigation after 7 days below 0.3 %
AUTHENTICATION = "authentication"
# 550 with one of these refuses the domain, not the message: Gmail 5.7.26 and 5.7.9, Outlook.com 5.7.515 (May 2025).
DOMAIN_REFUSED = ("5.7.26", "5.7.515", "5.7.9")


@dataclass(frozen=True, slots=True)
class ShareRule:
    """A share of the last seven days that warns from ``warn`` on, and stops from ``stop`` on (None: never).

    Neither a warning nor a stop follows from fewer than ``least`` cases: one in fifty is no share of anything yet.
    """

    id: str
    warn: float
    stop: float | None
    least_to_warn: int
    least_to_stop: int
    source: str


COMPLAINTS = ShareRule(
    "complaints",
    0.001,
    0.003,
    1,
    2,
    "Google and Yahoo, requirements for senders, in force since February 2024",
)
BOUNCES = ShareRule("bounces", 0.05, None, 2, 2, "Amazon SES, reputation: an account is reviewed from 5 % on")
RULES = (COMPLAINTS, BOUNCES)


@dataclass(frozen=True, slots=True)
class Assessment:
    """``stop`` is None unless the figures are a reason to stop; ``whole_domain``: then all senders of the domain."""

    state: HealthState
    reasons: tuple[str, ...] = ()
    stop: Stop | None = None
    whole_domain: bool = False


def assess(counts: SenderCounts, now: datetime) -> Assessment:
    """What the figures say, whatever was decided before."""
    figures = counts.judged
    if counts.grave:
        reason = f"the provider refuses the whole domain with 550 {counts.grave}: SPF, DKIM or DMARC are missing or do not match"
        return Assessment(
            HealthState.STOPPED, (reason,), Stop(AUTHENTICATION, reason, now), whole_domain=True
        )
    if _reaches(COMPLAINTS, figures):
        reason = f"{figures.complained} complaints about {figures.delivered} messages within 7 days: from 0.3 % on, a sender stops"
        until = (counts.complained_at or now) + BACK_AFTER
        return Assessment(HealthState.STOPPED, (reason,), Stop(COMPLAINTS.id, reason, now, until))
    reasons = _warnings(figures)
    return Assessment(HealthState.WATCH if reasons else HealthState.GOOD, reasons)


def _reaches(rule: ShareRule, figures: SenderFigures) -> bool:
    cases, of = _share(rule, figures)
    return rule.stop is not None and cases >= rule.least_to_stop and cases >= rule.stop * of


def _share(rule: ShareRule, figures: SenderFigures) -> tuple[int, int]:
    """Cases, and of how many."""
    if rule is COMPLAINTS:
        return figures.complained, figures.delivered
    return figures.bounced, figures.delivered + figures.bounced


def _warnings(figures: SenderFigures) -> tuple[str, ...]:
    found = []
    for rule in RULES:
        cases, of = _share(rule, figures)
        if cases >= rule.least_to_warn and cases >= rule.warn * of:
            found.append(_words(rule, cases, of))
    if figures.refused:
        reason = f"{figures.refused} messages were refused by policy (5.7.x) within 7 days"
        found.append(reason)
    return tuple(found)


def _words(rule: ShareRule, cases: int, of: int) -> str:
    if rule is COMPLAINTS:
        reason = (
            f"{cases} complaints about {of} messages within 7 days: from 0.1 % on, a provider looks closer"
        )
    else:
        reason = f"{cases} of {of} addresses did not exist within 7 days: from 5 % on, the list is old"
    return reason
