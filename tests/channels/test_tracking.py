from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza.channels.email.tracking import (
    Fetch,
    click_token,
    label_machine,
    links,
    machine_reason,
    open_token,
    read_click_token,
    read_open_token,
    tracked,
)
from cadenza.core.crypto import SecretBox

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
BODY = '<body><a href="https://a.example/?x=1&amp;y=2">one</a> <A class=z HREF=\'http://b.example\'>two</A> <a href="mailto:x@y.example">m</a></body>'
OTHER = SecretBox({"other": bytes(32)})


@pytest.mark.must_not("M5")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user_agent": "Mozilla/5.0 (Windows NT 5.1) (via ggpht.com GoogleImageProxy)"}, "Gmail"),
        ({"user_agent": "Mozilla/5.0"}, "Apple"),
        ({"user_agent": ""}, "no program"),
        ({"user_agent": CHROME + " SafeLinks"}, "Microsoft"),
        ({"user_agent": "BarracudaCentral/1.0"}, "Barracuda"),
        ({"user_agent": "Mimecast URL Protect"}, "Mimecast"),
        ({"user_agent": "Proofpoint URL Defense"}, "Proofpoint"),
        ({"user_agent": "curl/8.5.0"}, "program"),
        ({"user_agent": "Mozilla/5.0 (compatible; AcmeBot/2.1)"}, "program"),
        ({"method": "HEAD"}, "HEAD"),
        ({"prefetch": True}, "ahead"),
        ({"ip": "17.58.100.3"}, "Apple"),
        ({"ip": "67.231.154.162"}, "Proofpoint"),
        ({"seconds_after_delivery": 2.0}, "within 10 seconds"),
        ({"kind": "click", "seconds_after_delivery": 20.0}, "within 30 seconds"),
        ({"kind": "click", "links": 4, "of_links": 4}, "every link"),
    ],
)
def test_machines_are_known_and_the_reason_is_told(changes: dict[str, object], reason: str) -> None:
    fetch = replace(Fetch("open", "GET", CHROME), **changes)  # type: ignore[arg-type]
    assert label_machine(fetch)
    assert reason in (machine_reason(fetch) or "")


@pytest.mark.must_not("M5")
@pytest.mark.parametrize("agent", [CHROME, IPHONE, "Microsoft Outlook 16.0", "Thunderbird/140.0"])
@pytest.mark.parametrize("kind", ["open", "click"])
@pytest.mark.parametrize("ip", [None, "203.0.113.9", "2001:db8::1", "no address"])
def test_people_are_not_taken_for_machines(agent: str, kind: str, ip: str | None) -> None:
    fetch = Fetch(kind, "GET", agent, ip=ip, seconds_after_delivery=40.0, links=1, of_links=3)
    assert machine_reason(fetch) is None


def test_following_the_only_two_links_is_no_sign_of_a_machine() -> None:
    assert not label_machine(Fetch("click", "GET", CHROME, links=2, of_links=2))


@pytest.mark.asvs("14.2.1")
def test_tokens_are_opaque_stable_and_only_ours(secrets: SecretBox) -> None:
    workspace, touch = uuid4(), uuid4()
    opened, clicked = open_token(secrets, workspace, touch), click_token(secrets, workspace, touch, 3)
    assert opened == open_token(secrets, workspace, touch)
    assert touch.hex not in opened
    assert read_open_token(secrets, opened) == (workspace, touch)
    assert read_click_token(secrets, clicked) == (workspace, touch, 3)
    assert read_open_token(secrets, clicked) is None
    assert read_click_token(secrets, opened) is None
    assert read_open_token(OTHER, opened) is None


@given(st.text(max_size=80))
def test_foreign_tokens_are_nothing(token: str) -> None:
    assert read_open_token(OTHER, token) is None
    assert read_click_token(OTHER, token) is None


def test_links_are_numbered_and_led_through_us() -> None:
    assert links(BODY) == ("https://a.example/?x=1&y=2", "http://b.example")
    body = tracked(
        BODY,
        pixel_url="https://t.example/o/1",
        link_url=lambda number, _: f"https://t.example/c?n={number}&z",
    )
    assert 'href="https://t.example/c?n=0&amp;z"' in body
    assert "HREF='https://t.example/c?n=1&amp;z'" in body
    assert 'href="mailto:x@y.example"' in body
    assert body.endswith('<img src="https://t.example/o/1" width="1" height="1" alt=""></body>')
    assert links(body) == ("https://t.example/c?n=0&z", "https://t.example/c?n=1&z")


def test_off_means_untouched_and_single_links_can_be_left_alone() -> None:
    assert tracked(BODY, pixel_url=None, link_url=None) == BODY
    keep = tracked(BODY, pixel_url=None, link_url=lambda _, target: target)
    assert links(keep) == links(BODY)
    assert tracked("<p>x</p>", pixel_url="https://t.example/o", link_url=None).startswith("<p>x</p><img ")
