"""What is known of mail providers: every entry is complete, safe, and says where it comes from."""

from urllib.parse import urlsplit

import pytest

from cadenza.channels.connect_pages import scope_words
from cadenza.channels.contracts import Server, Tls
from cadenza.channels.oauth_providers import CONSENTS, is_registered, registration
from cadenza.channels.providers import PRESETS, Opening, preset, preset_of_consent
from cadenza.core.errors import CadenzaError
from cadenza.core.settings import Settings

NEEDED = {"google", "microsoft", "outlook", "yahoo", "icloud", "fastmail", "zoho", "ionos", "gmx", "strato"}


@pytest.mark.asvs("12.3.1")
@pytest.mark.parametrize("key", sorted(NEEDED))
def test_every_entry_is_encrypted_and_says_its_source(key: str) -> None:
    found = preset(key)
    for server, ports in (
        (found.smtp, {465: Tls.IMPLICIT, 587: Tls.STARTTLS}),
        (found.imap, {993: Tls.IMPLICIT}),
    ):
        assert ports[server.port] is server.tls
        assert "." in server.host
    assert urlsplit(found.source).scheme == "https"
    assert found.opening is not Opening.CONSENT or found.consent in CONSENTS


def test_all_that_were_asked_for_are_there_and_no_other_name_is() -> None:
    assert set(PRESETS) == NEEDED
    with pytest.raises(CadenzaError) as unknown:
        preset("nowhere")
    assert "gmx" in unknown.value.fix


@pytest.mark.asvs("10.2.3")
def test_every_scope_is_said_in_words() -> None:
    asked = {scope for consent in CONSENTS.values() for scope in consent.scopes}
    assert asked == set(scope_words())
    assert all(set(consent.mail) < set(consent.scopes) for consent in CONSENTS.values())


def test_a_mailbox_is_connected_again_by_the_entry_it_came_from() -> None:
    for key in ("google", "microsoft", "outlook"):
        assert preset_of_consent(PRESETS[key].consent or "", PRESETS[key].smtp).key == key
    assert preset_of_consent("microsoft", Server("moved.example", 587, Tls.STARTTLS)).consent == "microsoft"
    with pytest.raises(CadenzaError):
        preset_of_consent("", PRESETS["gmx"].smtp)


def test_what_is_not_registered_is_said_and_the_secret_is_in_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CadenzaError) as missing:
        registration(Settings(), "google")
    assert missing.value.code == "provider_not_registered"
    monkeypatch.setenv("CADENZA_GOOGLE_CLIENT_ID", "ours")
    monkeypatch.setenv("CADENZA_GOOGLE_CLIENT_SECRET", "canary-secret")
    found = Settings()
    assert is_registered(found, "google")
    assert not is_registered(found, "microsoft")
    assert "canary-secret" not in repr(found) + repr(registration(found, "google"))
