"""Files with the columns that other tools export are understood by their names alone. The people in them are ours."""

from pathlib import Path

import pytest

from cadenza.audience.columns import IGNORE, Field
from cadenza.audience.import_file import parse_file

EXPORTS = Path(__file__).parent / "exports"
_ALWAYS = {
    "email": "marta@ostwerk.example",
    "first_name": "Marta",
    "last_name": "Kowalik",
    "phone_e164": "+48221234567",
}
_LINKEDIN = "https://www.linkedin.com/in/marta-kowalik"
_TITLE = "Head of Planning"
_SITE = "https://ostwerk.example"
MORE: dict[str, dict[str, str]] = {
    "instantly": {"company": "Ostwerk", "title": _TITLE, "website": _SITE, "linkedin_url": _LINKEDIN},
    "smartlead": {"company": "Ostwerk", "website": _SITE, "linkedin_url": _LINKEDIN},
    "hubspot": {
        "company": "Ostwerk", "title": _TITLE, "website": _SITE, "linkedin_url": _LINKEDIN, "country": "PL", "language": "pl",
        "timezone": "Europe/Warsaw", "industry": "Machinery",
    },
    "hubspot-associated": {"company": "Ostwerk"},
    "salesforce-loader": {"company": "Ostwerk", "title": _TITLE, "website": _SITE, "country": "PL", "industry": "Machinery"},
    "salesforce-report": {"company": "Ostwerk", "title": _TITLE, "country": "PL"},
    "apollo": {
        "company": "Ostwerk Sp. z o.o.", "title": _TITLE, "website": "http://ostwerk.example", "linkedin_url": _LINKEDIN,
        "country": "PL", "industry": "machinery",
    },
}  # fmt: skip


@pytest.mark.parametrize("tool", MORE)
def test_every_field_of_an_export_is_found_and_no_other(tool: str) -> None:
    parsed = parse_file((EXPORTS / f"{tool}.csv").read_bytes(), {})
    assert (parsed.rejected, parsed.warnings) == ([], [])
    (person,) = parsed.people
    names = [field.value for field in Field if field not in {Field.EMAIL, Field.FULL_NAME}]
    found = {"email": person.email} | {name: getattr(person, name) for name in names}
    assert {name: value for name, value in found.items() if value} == _ALWAYS | MORE[tool]
    mapped = [
        field for field in parsed.mapping.values() if not field.startswith("custom.") and field != IGNORE
    ]
    assert set(mapped) == (_ALWAYS | MORE[tool]).keys()


def test_there_is_a_file_for_each_tool() -> None:
    assert {path.stem for path in EXPORTS.iterdir()} == MORE.keys()
