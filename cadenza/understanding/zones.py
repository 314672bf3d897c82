"""In which zone a sender means a time."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# What people write, in lower case. "CET" in summer means local time there, so a place stands for it.
_NAMED = {
    "utc": "UTC", "gmt": "UTC", "cet": "Europe/Berlin", "cest": "Europe/Berlin", "mez": "Europe/Berlin",
    "mesz": "Europe/Berlin", "bst": "Europe/London", "wet": "Europe/Lisbon", "eet": "Europe/Helsinki",
    "est": "America/New_York", "edt": "America/New_York", "et": "America/New_York", "eastern time": "America/New_York",
    "new york time": "America/New_York", "cst": "America/Chicago", "cdt": "America/Chicago", "ct": "America/Chicago",
    "central time": "America/Chicago", "mst": "America/Denver", "mdt": "America/Denver", "mountain time": "America/Denver",
    "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles",
    "pacific time": "America/Los_Angeles", "jst": "Asia/Tokyo", "日本時間": "Asia/Tokyo", "tokyo time": "Asia/Tokyo",
    "kst": "Asia/Seoul", "한국시간": "Asia/Seoul", "한국 시간": "Asia/Seoul", "ist": "Asia/Kolkata", "aest": "Australia/Sydney",
    "aedt": "Australia/Sydney", "sydney time": "Australia/Sydney", "sgt": "Asia/Singapore", "singapore time": "Asia/Singapore",
    "hkt": "Asia/Hong_Kong", "北京时间": "Asia/Shanghai", "msk": "Europe/Moscow", "brt": "America/Sao_Paulo",
    "london time": "Europe/London", "uk time": "Europe/London", "heure de londres": "Europe/London",
    "hora de londres": "Europe/London", "berlin time": "Europe/Berlin", "german time": "Europe/Berlin",
    "paris time": "Europe/Paris", "french time": "Europe/Paris", "heure de paris": "Europe/Paris",
    "heure de montréal": "America/Toronto", "heure de bruxelles": "Europe/Brussels", "madrid time": "Europe/Madrid",
    "spanish time": "Europe/Madrid", "hora de madrid": "Europe/Madrid", "hora española": "Europe/Madrid",
    "hora peninsular": "Europe/Madrid", "hora de méxico": "America/Mexico_City", "swiss time": "Europe/Zurich",
    "zurich time": "Europe/Zurich", "vienna time": "Europe/Vienna", "amsterdam time": "Europe/Amsterdam",
    "dubai time": "Asia/Dubai",
}  # fmt: skip

# Countries of one zone, or of one that nearly everybody there uses, by top-level domain.
_DOMAINS = {
    "de": "Europe/Berlin", "at": "Europe/Vienna", "ch": "Europe/Zurich", "li": "Europe/Vaduz", "fr": "Europe/Paris",
    "es": "Europe/Madrid", "it": "Europe/Rome", "nl": "Europe/Amsterdam", "be": "Europe/Brussels", "lu": "Europe/Luxembourg",
    "uk": "Europe/London", "ie": "Europe/Dublin", "pt": "Europe/Lisbon", "dk": "Europe/Copenhagen", "se": "Europe/Stockholm",
    "no": "Europe/Oslo", "fi": "Europe/Helsinki", "pl": "Europe/Warsaw", "cz": "Europe/Prague", "sk": "Europe/Bratislava",
    "hu": "Europe/Budapest", "ro": "Europe/Bucharest", "bg": "Europe/Sofia", "gr": "Europe/Athens", "hr": "Europe/Zagreb",
    "si": "Europe/Ljubljana", "ee": "Europe/Tallinn", "lv": "Europe/Riga", "lt": "Europe/Vilnius", "ru": "Europe/Moscow",
    "ua": "Europe/Kyiv", "tr": "Europe/Istanbul", "il": "Asia/Jerusalem", "ae": "Asia/Dubai", "sa": "Asia/Riyadh",
    "qa": "Asia/Qatar", "eg": "Africa/Cairo", "ma": "Africa/Casablanca", "tn": "Africa/Tunis", "za": "Africa/Johannesburg",
    "ng": "Africa/Lagos", "ke": "Africa/Nairobi", "in": "Asia/Kolkata", "jp": "Asia/Tokyo", "kr": "Asia/Seoul",
    "cn": "Asia/Shanghai", "hk": "Asia/Hong_Kong", "tw": "Asia/Taipei", "sg": "Asia/Singapore", "my": "Asia/Kuala_Lumpur",
    "th": "Asia/Bangkok", "vn": "Asia/Ho_Chi_Minh", "ph": "Asia/Manila", "nz": "Pacific/Auckland",
    "ar": "America/Argentina/Buenos_Aires", "cl": "America/Santiago", "pe": "America/Lima", "co": "America/Bogota",
    "uy": "America/Montevideo", "mx": "America/Mexico_City", "br": "America/Sao_Paulo",
}  # fmt: skip

# Country calling codes that tell the same, longest first when read.
_CALLING = {
    "49": "de", "43": "at", "41": "ch", "33": "fr", "34": "es", "39": "it", "31": "nl", "32": "be", "352": "lu", "44": "uk",
    "353": "ie", "351": "pt", "45": "dk", "46": "se", "47": "no", "358": "fi", "48": "pl", "420": "cz", "81": "jp",
    "82": "kr", "86": "cn", "65": "sg", "91": "in", "971": "ae", "966": "sa", "972": "il", "20": "eg", "52": "mx",
    "55": "br", "54": "ar", "90": "tr",
}  # fmt: skip
_PHONE = re.compile(r"(?:\+|\b00)(\d{2,3})[\s().\d-]{6,}")


def named_zone(words: str) -> tzinfo | None:
    """The zone of words such as "CET", "Berlin time", "UTC+2"; None for "your time"."""
    text = re.sub(r"\s+", " ", words.strip().lower())
    offset = re.fullmatch(r"(?:utc|gmt) ?([+-]) ?(\d{1,2})(?::?(\d{2}))?", text)
    if offset:
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(span if offset[1] == "+" else -span) if span < timedelta(hours=15) else None
    name = _NAMED.get(text)
    return UTC if name == "UTC" else ZoneInfo(name) if name else None


def sender_zone(address: str, signature: str, received: datetime) -> tzinfo:
    """The sender's zone by the domain's country, else a phone number's, else the offset of ``received``."""
    country = address.rpartition(".")[2].lower()
    if country not in _DOMAINS:
        phone = _PHONE.search(signature)
        digits = phone.group(1) if phone else ""
        country = _CALLING.get(digits) or _CALLING.get(digits[:2]) or ""
    return ZoneInfo(_DOMAINS[country]) if country in _DOMAINS else received.tzinfo or UTC


def writes_month_first(address: str, received: datetime | None) -> bool:
    """12/3 is December 3rd for senders in the Americas' English-speaking zones."""
    if address.rpartition(".")[2].lower() in _DOMAINS or received is None:
        return False
    offset = received.utcoffset() or timedelta()
    return timedelta(hours=-10) <= offset <= timedelta(hours=-4)
