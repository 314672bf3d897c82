"""What an absence note or another automatic answer says."""

from datetime import date, datetime

from cadenza.understanding.contracts import Automatic, MailKind, Referral
from cadenza.understanding.language import detect_language
from cadenza.understanding.people import find_people
from cadenza.understanding.return_dates import first_day_back
from cadenza.understanding.zones import writes_month_first


def read_automatic(
    kind: MailKind, text: str, *, received_at: datetime | None, from_email: str = ""
) -> Automatic:
    """Return date (only of absences) and the colleague who stands in."""
    language = detect_language(text) or "en"
    back: date | None = None
    if kind is MailKind.OUT_OF_OFFICE and received_at is not None:
        american = language == "en" and writes_month_first(from_email, received_at)
        found = first_day_back(text, language, received_at.date(), american=american)
        back = found.day if found and found.day >= received_at.date() else None
    return Automatic(kind, back.isoformat() if back else None, colleague(text, from_email))


def colleague(text: str, from_email: str) -> Referral | None:
    people = find_people(text, sender=from_email)
    return people[0].person if people else None
