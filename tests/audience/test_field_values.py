import pytest

from cadenza.audience.contracts import FieldKind
from cadenza.audience.field_values import normal_value

K = FieldKind


@pytest.mark.parametrize(
    ("kind", "given", "normal"),
    [
        (K.NUMBER, "12", "12"), (K.NUMBER, "-12.5", "-12.5"), (K.NUMBER, "12,5", "12.5"), (K.NUMBER, "1,250", "1250"),
        (K.NUMBER, "1.250", "1250"), (K.NUMBER, "1.250,5", "1250.5"), (K.NUMBER, "1,234,567.89", "1234567.89"),
        (K.NUMBER, "1 250", "1250"), (K.NUMBER, "1'250", "1250"), (K.NUMBER, "+7", "7"), (K.NUMBER, "12 EUR", None),
        (K.NUMBER, "1.2.3", None), (K.NUMBER, "", None),
        (K.DATE, "2026-03-31", "2026-03-31"), (K.DATE, "31.03.2026", "2026-03-31"), (K.DATE, "31 March 2026", "2026-03-31"),
        (K.DATE, "03/04/2026", None), (K.DATE, "2026-02-30", None),
        (K.YES_NO, "Ja", "yes"), (K.YES_NO, "0", "no"), (K.YES_NO, "perhaps", None), (K.TEXT, " x ", "x"),
    ],
)  # fmt: skip
def test_a_value_has_one_form(kind: FieldKind, given: str, normal: str | None) -> None:
    assert normal_value(kind, given) == normal
