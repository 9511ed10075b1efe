"""The commands of single sign-on: set up, shown, tried, linked and taken away."""

from __future__ import annotations

import pytest
from oidc_server import OidcServer, serving


@pytest.fixture
def there():
    with serving(OidcServer()) as server:
        yield server


def test_it_is_set_up_shown_tried_linked_and_taken_away(consult, real, there):
    assert "No provider is set up" in consult(real, "sign-on", "show", code=1).stderr
    assert "No provider is set up" in consult(real, "person", "link", "anna.berg", "1", code=1).stderr
    words = ("--client-id", "c", "--label", "Example ID", "--require", "acr=AAL2,AAL3", "--no-password-for", "nurse")
    consult(real, "sign-on", "set", "--issuer", there.issuer, *words)
    assert f"Example ID answers as {there.issuer}" in consult(real, "sign-on", "check").stdout
    assert "Anna Berg signs in with Example ID" in consult(real, "person", "link", "anna.berg", "subject-1").stdout
    shown = consult(real, "sign-on", "show").stdout
    assert "require: {'acr': ['AAL2', 'AAL3']}" in shown
    assert "linked people: 1" in shown
    assert "linked to an account already" in consult(real, "person", "link", "anna.berg", "2", code=1).stderr
    consult(real, "person", "unlink", "anna.berg")
    assert "types: " in consult(real, "person", "link-code", "anna.berg").stdout
    consult(real, "sign-on", "off")
    consult(real, "verify")


def test_what_is_wrong_is_said_in_a_sentence(consult, real, there):
    words = ("--client-id", "c", "--label", "Example ID")
    plain = consult(real, "sign-on", "set", "--issuer", "http://id.example.org", *words, code=1).stderr
    assert "begins with https://" in plain
    consult(real, "sign-on", "set", "--issuer", there.issuer, *words)
    there.status = 500
    assert "The provider answers 500" in consult(real, "sign-on", "check", code=1).stderr
