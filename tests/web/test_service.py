import pytest

from cadenza.web.service import safe_path, see


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/campaigns?state=running", "/campaigns?state=running"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("javascript:alert(1)", "/"),
        ("evil", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_led_to_another_site(address: str, path: str) -> None:
    assert safe_path(address) == path


@pytest.mark.parametrize(
    ("address", "location"), [("/inbox", "/inbox?said=sent"), ("/inbox?q=1", "/inbox?q=1&said=sent")]
)
def test_a_change_is_followed_by_a_page_that_confirms_it(address: str, location: str) -> None:
    answer = see(address, "sent")
    assert (answer.status_code, answer.headers["location"]) == (303, location)
