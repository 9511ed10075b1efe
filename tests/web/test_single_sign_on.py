"""Single sign-on at a provider on this machine: the way there and back, and all that may not come back from it."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pages
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.jwk import RSAKey
from msgspec.structs import replace
from oidc_server import CLIENT, SECRET, OidcServer, serving
from test_account_pages import code as code_now
from test_account_pages import enrol, token_of
from visiting import PASSWORD, Service, Visitor

from consult.accounts import people, provider, sessions, single_sign_on, tries
from consult.accounts import told as people_told
from consult.accounts.single_sign_on import Provider
from consult.record import ledger
from consult.record.settings import SettingRefused

NORA = "nora.nurse"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcServer]:
    with serving(OidcServer()) as server:
        yield server


@pytest.fixture
def there(running: OidcServer, service: Service, monkeypatch: pytest.MonkeyPatch) -> OidcServer:
    """The provider as it should be, set up in the service, with the nurse linked."""
    fresh = OidcServer(running.port, keys=running.keys)
    vars(running).update(vars(fresh))
    provider._known.clear()
    provider._in_vain.clear()
    monkeypatch.setenv("CONSULT_TEST_SECRET", SECRET)
    set_up(service, running)
    link(service, running, "nurse")
    return running


def set_up(service: Service, server: OidcServer, **more: Any) -> Provider:
    there = Provider(server.issuer, CLIENT, "Invented Health ID", "env:CONSULT_TEST_SECRET")
    with service.instance.db.write() as conn:
        single_sign_on.set_provider(conn, replace(there, **more), "test", service.instance.store.at())
    return replace(there, **more)


def link(service: Service, server: OidcServer, role: str) -> None:
    hashed = single_sign_on.subject_hash(server.issuer, server.subject)
    with service.instance.db.write() as conn:
        single_sign_on.link(conn, service.who[role].actor, hashed, "test", service.instance.store.at())


def begin(visitor: Visitor, **asked: str) -> str:
    """The address of the provider that the browser is sent to."""
    response = visitor.ask("/sign-in/provider", query_string=asked)
    assert response.status_code == 302
    return str(response.headers["Location"])


def come_back(visitor: Visitor, sent: dict[str, str]) -> Any:
    return visitor.ask("/sign-in/provider/back", query_string=sent)


def whole_way(visitor: Visitor, server: OidcServer, **asked: str) -> Any:
    return come_back(visitor, server.authorize(begin(visitor, **asked)))


def is_in(visitor: Visitor) -> bool:
    return visitor.ask("/").status_code == 200


def test_a_linked_person_is_signed_in_and_led_to_the_page_asked_for(service: Service, there: OidcServer) -> None:
    visitor = service.visitor()
    assert "Sign in with Invented Health ID" in pages.text(visitor.get("/sign-in?next=/leaflets"))
    response = whole_way(visitor, there, next="/leaflets")
    assert (response.status_code, "url=/leaflets" in response.text) == (200, True)
    assert "Go on as Nora Nurse" in response.text
    assert is_in(visitor)
    cookies = [c for c in response.headers.getlist("Set-Cookie") if c.startswith("consult_session=")]
    assert "SameSite=Strict" in cookies[0]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
)
def test_nobody_is_led_to_another_host(service: Service, there: OidcServer, target: str) -> None:
    response = whole_way(service.visitor(), there, next=target)
    assert 'content="0; url=/"' in response.text
    assert "evil" not in response.text


NOW = int(time.time())
FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "wrong nonce": ({"nonce": "another"}, ""),
    "no nonce": ({"nonce": None}, ""),
    "wrong audience": ({"aud": "another-client"}, ""),
    "for others too": ({"aud": [CLIENT, "another-client"], "azp": CLIENT}, ""),
    "made for another": ({"azp": "another-client"}, ""),
    "wrong issuer": ({"iss": "https://evil.example"}, ""),
    "expired": ({"iat": NOW - 900, "exp": NOW - 600}, ""),
    "from the future": ({"iat": NOW + 9000, "exp": NOW + 9900}, ""),
    "without an end": ({"exp": None}, ""),
    "without a subject": ({"sub": None}, ""),
    "an empty subject": ({"sub": ""}, ""),
    "a subject that is no text": ({"sub": 7}, ""),
    **{
        how: ({}, how)
        for how in (
            "alg none",
            "the secret as key",
            "the public key as secret",
            "an unknown key",
            "another key",
            "another kind of key",
            "changed afterwards",
            "no token",
        )
    },
}


@pytest.fixture(scope="module")
def told_of_refusals() -> set[str]:
    return set()


@pytest.mark.parametrize("wrong", FORGED)
def test_a_token_that_does_not_hold_signs_nobody_in_and_all_are_refused_alike(
    service: Service,
    there: OidcServer,
    wrong: str,
    told_of_refusals: set[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    there.forge, there.how = FORGED[wrong]
    visitor = service.visitor()
    response = whole_way(visitor, there)
    assert response.status_code == 422
    told_of_refusals.add(pages.text(pages.parse(response.text)))
    assert len(told_of_refusals) == 1
    assert not is_in(visitor)
    assert "Single sign-on was refused: the token" in caplog.text
    there.forge, there.how = {}, ""
    whole_way(visitor, there)
    assert is_in(visitor), "and the right one still does"


def test_a_clock_may_be_a_little_off_and_no_more(service: Service, there: OidcServer) -> None:
    for ended, wanted in ((ago(30), True), (ago(120), False)):
        there.forge = {"exp": ended}
        visitor = service.visitor()
        whole_way(visitor, there)
        assert is_in(visitor) == wanted


def ago(seconds: int) -> int:
    return int(time.time()) - seconds


def test_only_the_browser_that_was_sent_and_only_once_and_soon_takes_anything_back(
    service: Service, there: OidcServer
) -> None:
    mine, other = service.visitor(), service.visitor()
    sent = there.authorize(begin(mine))
    begin(other)
    for visitor, wrong in ((other, sent), (mine, {**sent, "state": "another"}), (mine, {"code": sent["code"]})):
        response = come_back(visitor, wrong)
        assert response.status_code == 422
        assert "begin again" in response.text
        assert not is_in(visitor)
    assert come_back(mine, sent).status_code == 422, "the other browser has used the state up"
    sent = there.authorize(begin(mine))
    assert come_back(mine, sent).status_code == 200
    again = service.visitor()
    again.client.set_cookie("consult_way", mine.client.get_cookie("consult_way").value)  # type: ignore[union-attr] # it was set above
    assert come_back(again, sent).status_code == 422
    late = service.visitor()
    sent = there.authorize(begin(late))
    service.clock.ahead += single_sign_on.STANDS + timedelta(seconds=1)
    assert come_back(late, sent).status_code == 422


def test_a_code_is_taken_once(service: Service, there: OidcServer) -> None:
    first, second = service.visitor(), service.visitor()
    sent = there.authorize(begin(first))
    assert come_back(first, sent).status_code == 200
    state = there.authorize(begin(second))["state"]
    assert come_back(second, {"state": state, "code": sent["code"]}).status_code == 422
    assert not is_in(second)


def test_a_code_that_was_given_to_another_browser_signs_nobody_in(service: Service, there: OidcServer) -> None:
    theirs, mine = service.visitor(), service.visitor()
    stolen, own = there.authorize(begin(theirs)), there.authorize(begin(mine))
    assert come_back(mine, {"state": own["state"], "code": stolen["code"]}).status_code == 422
    assert not is_in(mine)


@pytest.mark.parametrize("sent", [{"error": "access_denied"}, {"iss": "https://evil.example"}, {"code": ""}])
def test_an_error_and_a_reply_of_another_provider_are_refused(
    service: Service, there: OidcServer, sent: dict[str, str]
) -> None:
    visitor = service.visitor()
    response = come_back(visitor, there.authorize(begin(visitor)) | sent)
    assert response.status_code == 422
    assert "did not work" in response.text
    assert "/token" not in there.asked


def test_where_the_provider_says_who_it_is_in_each_reply_one_without_is_refused(
    service: Service, there: OidcServer
) -> None:
    there.about = {"authorization_response_iss_parameter_supported": True}
    visitor = service.visitor()
    assert whole_way(visitor, there).status_code == 422
    sent = there.authorize(begin(visitor)) | {"iss": there.issuer}
    assert come_back(visitor, sent).status_code == 200


def test_a_reply_that_comes_after_the_provider_was_changed_is_refused(service: Service, there: OidcServer) -> None:
    visitor = service.visitor()
    sent = there.authorize(begin(visitor))
    with serving(OidcServer(keys=there.keys)) as other:
        set_up(service, other)
        assert come_back(visitor, sent).status_code == 422
        assert "/token" not in other.asked, "the code of the one is not told to the other"


def test_who_is_linked_to_nobody_or_stopped_is_refused_alike_and_that_is_noted(
    service: Service, there: OidcServer, caplog: pytest.LogCaptureFixture
) -> None:
    with service.instance.db.write() as conn:
        people.set_active(conn, service.who["nurse"].actor, False, "test", service.instance.store.at())
    said = []
    for subject in (there.subject, "subject-of-nobody"):
        there.subject, visitor = subject, service.visitor()
        response = whole_way(visitor, there)
        reference = single_sign_on.subject_hash(there.issuer, subject)[:12]
        assert response.status_code == 403
        assert reference in caplog.text
        said.append(pages.text(pages.parse(response.text)).replace(reference, ""))
        assert not is_in(visitor)
    assert said[0] == said[1]
    assert "Nora" not in said[0]
    assert "subject-of" not in caplog.text


def test_a_link_code_links_once_and_only_whoever_has_just_come_from_the_provider(
    service: Service, there: OidcServer
) -> None:
    admin, dan = service.visitor("administrator"), service.who["doctor"].actor
    shown = pages.parse(admin.post(f"/settings/people/{dan}/link-code", {"proved": "called_back"}).text)
    words = next("".join(e.itertext()) for e in shown.iter("strong") if e.get("class") == "secret")
    there.subject = "subject-of-dan"
    visitor, elsewhere = service.visitor(), service.visitor()
    assert whole_way(visitor, there, next="/leaflets").status_code == 403
    assert elsewhere.post("/sign-in/provider/code", {"code": words}).status_code == 422
    assert visitor.post("/sign-in/provider/code", {"code": "no such words here"}).status_code == 422
    linked = visitor.post("/sign-in/provider/code", {"code": words.upper(), "next": "/leaflets"})
    assert (linked.status_code, "Go on as Dan Doctor" in linked.text) == (200, True)
    assert is_in(visitor)
    again = service.visitor()
    whole_way(again, there)
    assert is_in(again)
    there.subject = "subject-of-another"
    third = service.visitor()
    whole_way(third, there)
    assert third.post("/sign-in/provider/code", {"code": words}).status_code == 422, "used up"
    changes = [s.content["change"] for s in ledger.steps(service.instance.db.read(), kind="person_changed")]
    assert changes == ["sign_on_linked", "link_code", "sign_on_linked"]
    assert admin.post(f"/settings/people/{dan}/unlink").status_code == 302
    assert not is_in(again), "and the sessions end"
    assert list(people_told.differences(service.instance.db.read())) == []


def test_a_link_code_is_made_once_it_is_said_how_it_is_certain_who_asks_and_never_for_oneself(
    service: Service, there: OidcServer
) -> None:
    admin, conn = service.visitor("administrator"), service.instance.db.read()
    dan, own = service.who["doctor"].actor, service.who["administrator"].actor
    for person, sent, says in (
        (dan, {}, "Say how you made sure who asks"),
        (dan, {"proved": "a guess"}, "Say how you made sure who asks"),
        (own, {"proved": "called_back"}, "made by another administrator"),
    ):
        refused = admin.post(f"/settings/people/{person}/link-code", sent)
        assert (refused.status_code, says in refused.text) == (422, True)
    (field,) = [
        e
        for e in pages.parse(admin.post(f"/settings/people/{dan}/link-code").text).iter("select")
        if e.get("aria-invalid")
    ]
    assert field.get("id") == "proved-of-link", "and not the field of a lost password above it"
    assert "Make a link code" not in pages.text(admin.get(f"/settings/people/{own}"))
    assert not list(ledger.steps(conn, kind="person_proved"))
    assert admin.post(f"/settings/people/{dan}/link-code", {"proved": "called_back"}).status_code == 200
    (proved,) = ledger.steps(conn, kind="person_proved")
    assert proved.content == {"person": dan, "how": "called_back"}


def test_link_codes_run_out_and_guesses_are_braked(service: Service, there: OidcServer) -> None:
    with service.instance.db.write() as conn:
        at, now = service.instance.store.at(), service.clock()
        words = single_sign_on.make_code(conn, service.who["doctor"].actor, now, "test", at)
    there.subject = "subject-of-dan"
    visitor = service.visitor()
    whole_way(visitor, there)
    for _ in range(tries.TRIES):
        visitor.post("/sign-in/provider/code", {"code": "a guess at some words"})
    assert "too many tries" in visitor.post("/sign-in/provider/code", {"code": words}).text
    service.clock.ahead += single_sign_on.CODE_STANDS
    there.forge = {"exp": int(service.clock().timestamp()) + 60}
    later = service.visitor()
    whole_way(later, there)
    assert later.post("/sign-in/provider/code", {"code": words}).status_code == 422


def test_a_person_has_one_account_and_an_account_one_person(service: Service, there: OidcServer) -> None:
    with pytest.raises(people.PersonRefused, match="linked already"):
        link(service, there, "doctor")
    there.subject = "another"
    with pytest.raises(people.PersonRefused, match="linked to an account already"):
        link(service, there, "nurse")


def test_the_strength_that_is_asked_for_must_come_back_and_stands_for_the_factor(
    service: Service, there: OidcServer
) -> None:
    secret, _ = enrol(service, service.visitor("nurse"))
    weak = service.visitor()
    response = whole_way(weak, there)
    assert "The code that your telephone shows" in response.text, "no strength was asked for: the factor here is"
    assert weak.post("/sign-in/code", {"code": code_now(service, secret)}).status_code == 302
    assert whole_way(weak, there, again="yes").status_code == 200, "who is in already proves no second thing anew"
    weak.token = ""
    assert "goes on" in weak.post("/sign-out").text
    set_up(service, there, acr_values="AAL2_OR_AAL3_ANY", require={"acr": ["AAL2", "AAL3"], "amr": ["mfa"]})
    for said, wanted in (
        ({}, 422),
        ({"acr": "AAL1", "amr": ["mfa"]}, 422),
        ({"acr": "AAL3"}, 422),
        ({"acr": "AAL3", "amr": ["pwd", "mfa"]}, 200),
    ):
        there.forge, visitor = said, service.visitor()
        assert "acr_values=AAL2_OR_AAL3_ANY" in begin(visitor)
        assert whole_way(visitor, there).status_code == wanted
        assert is_in(visitor) == (wanted == 200)


def test_who_signs_in_there_only_is_refused_like_a_wrong_password_once_linked(
    service: Service, there: OidcServer
) -> None:
    set_up(service, there, no_password_for=["nurse", "doctor"])
    said = set()
    for name, password in ((NORA, PASSWORD), (NORA, "not this one at all"), ("nobody.here", PASSWORD)):
        response = service.visitor().post("/sign-in", {"username": name, "password": password})
        said.add((response.status_code, pages.text(pages.parse(response.text))))
    assert len(said) == 1
    assert service.visitor().post("/sign-in", {"username": "dan.doctor", "password": PASSWORD}).status_code == 302
    visitor = service.visitor()
    whole_way(visitor, there)
    assert is_in(visitor)


def test_who_proves_there_anew_changes_the_account_without_a_password(service: Service, there: OidcServer) -> None:
    visitor = service.visitor()
    whole_way(visitor, there)
    visitor.token = ""
    begun = {"act": "begin", "password": ""}
    assert visitor.post("/account/second-factor", begun).status_code == 422
    before = token_of(visitor)
    address = begin(visitor, again="yes", next="/account")
    assert "prompt=login" in address
    assert "max_age=0" in address
    there.forge = {"auth_time": int(time.time()) - 900}
    assert come_back(visitor, there.authorize(address)).status_code == 422, "it did not ask anew"
    there.forge, there.subject = {}, "subject-of-another"
    assert come_back(visitor, there.authorize(begin(visitor, again="yes"))).status_code == 422, "somebody else"
    there.subject = "subject-of-nora"
    assert whole_way(visitor, there, again="yes", next="/account").status_code == 200
    assert token_of(visitor) != before
    visitor.token = ""
    assert visitor.post("/account/second-factor", begun).status_code == 200
    old = service.visitor()
    old.client.set_cookie("consult_session", before)
    assert not is_in(old), "the session before has ended"
    service.clock.ahead += sessions.PROVED
    assert visitor.post("/account/second-factor", begun).status_code == 422


def test_a_locked_screen_goes_on_after_the_provider_too(service: Service, there: OidcServer) -> None:
    visitor = service.visitor("nurse")
    visitor.post("/lock")
    assert "Go on with Invented Health ID" in pages.text(visitor.get("/leaflets", 423))
    whole_way(visitor, there, next="/leaflets")
    assert visitor.ask("/leaflets").status_code == 200


def test_signing_out_says_that_the_session_there_goes_on_and_leads_to_its_end(
    service: Service, there: OidcServer
) -> None:
    visitor = service.visitor()
    whole_way(visitor, there)
    visitor.token = ""
    page = visitor.post("/sign-out")
    assert "Your session at Invented Health ID goes on" in page.text
    assert f"{there.issuer}/leave?client_id={CLIENT}" in page.text
    assert not is_in(visitor)
    nurse = service.visitor("nurse")
    assert nurse.post("/sign-out").status_code == 302, "who signed in with a password is told nothing of it"


DEEP = "[" * 100_000
NO_JSON_OF_A_PROVIDER = (
    DEEP,
    f'{{"issuer": {DEEP}',
    "[]",
    '"text"',
    "null",
    "7",
    "",
    "{",
    '{"keys": 7}',
    '{"keys": [7]}',
)


@pytest.mark.parametrize("body", NO_JSON_OF_A_PROVIDER)
@pytest.mark.parametrize("at", ["/.well-known/openid-configuration", "/jwks", "/token"])
def test_a_reply_that_can_not_be_read_is_refused_in_a_sentence(
    service: Service, there: OidcServer, at: str, body: str
) -> None:
    """Lists a hundred thousand levels inside each other tripped the reader, and the page said that something failed."""
    visitor = service.visitor()
    there.raw = {at: body}
    if at.startswith("/."):
        assert is_refused(visitor)
        return
    response = whole_way(visitor, there)
    assert response.status_code in (422, 503)
    assert "use name and password" in response.text or "did not work" in response.text
    assert not is_in(visitor)
    there.raw = {}
    whole_way(visitor, there)
    assert is_in(visitor), "and the right one still does"


@pytest.mark.parametrize("address", ["https://[", "https://id.example.org:x/", 7, ["https://id.example.org/"], None])
@pytest.mark.parametrize("name", [*provider.NEEDED, "end_session_endpoint"])
def test_an_address_that_is_none_is_refused_in_a_sentence(
    service: Service, there: OidcServer, name: str, address: object
) -> None:
    there.about = {name: address}
    if name != "end_session_endpoint":
        assert is_refused(service.visitor())
        return
    visitor = service.visitor()
    whole_way(visitor, there)
    visitor.token = ""
    assert visitor.post("/sign-out").status_code == 200


@pytest.mark.parametrize("name", ["auth_time", "exp", "iat", "nbf"])
@pytest.mark.parametrize("told", [math.nan, math.inf, -math.inf, 1e300, 10**400, "soon", [1], {}, True, "NaN"])
def test_a_time_in_the_token_that_is_none_signs_nobody_in_and_proves_nothing_anew(
    service: Service, there: OidcServer, name: str, told: object
) -> None:
    """An endless one ended in an error, and one that is no number never ran out."""
    visitor = service.visitor()
    whole_way(visitor, there)
    assert is_in(visitor)
    before = token_of(visitor)
    there.forge = {name: told}
    response = whole_way(visitor, there, again="yes", next="/account")
    assert response.status_code == 422
    assert "did not work" in response.text
    assert token_of(visitor) == before
    fresh = service.visitor()
    assert whole_way(fresh, there).status_code == 422
    assert not is_in(fresh)


def test_a_token_whose_claims_are_hundreds_of_levels_deep_signs_nobody_in(service: Service, there: OidcServer) -> None:
    claims = f'{{"sub": {DEEP}'.encode()
    mark = jws.serialize_compact({"alg": "RS256", "kid": "one"}, claims, there.keys["one"])
    there.raw = {"/token": json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": mark})}
    visitor = service.visitor()
    response = whole_way(visitor, there)
    assert response.status_code == 422
    assert "did not work" in response.text


def test_a_provider_that_does_not_answer_leaves_the_password_way(
    service: Service, there: OidcServer, caplog: pytest.LogCaptureFixture
) -> None:
    for fault in (
        {"status": 503},
        {"about": {"issuer": "https://evil.example"}},
        {"about": {"jwks_uri": "http://a.b/"}},
    ):
        provider._known.clear()
        vars(there).update({"status": 200, "about": {}} | fault)
        response = service.visitor().ask("/sign-in/provider")
        assert response.status_code == 503
        assert "can't be reached just now; use name and password" in pages.text(pages.parse(response.text))
        assert 'name="password"' in response.text
    assert caplog.text.count("Single sign-on: The provider") == 3
    provider._known.clear()
    with serving(OidcServer()) as gone:
        set_up(service, gone)
    assert service.visitor().ask("/sign-in/provider").status_code == 503


def test_no_redirect_is_followed_and_nothing_endless_is_read(service: Service, there: OidcServer) -> None:
    for fault in ({"status": 302}, {"about": {"more": "x" * (provider.LARGEST + 1)}}):
        provider._known.clear()
        vars(there).update({"status": 200, "about": {}} | fault)
        assert service.visitor().ask("/sign-in/provider").status_code == 503


def self_signed() -> bytes:
    """A certificate for this machine that nobody else vouches for, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    day, here = datetime.now(UTC), x509.IPAddress(ip_address("127.0.0.1"))
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day - timedelta(1), day + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([here]), critical=False)
    written = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM) + key.private_bytes(*written)


def test_a_provider_whose_certificate_nobody_vouches_for_is_not_asked(
    service: Service,
    there: OidcServer,
    tmp_path: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "self-signed.pem"
    file.write_bytes(self_signed())
    with serving(OidcServer(), str(file)) as server:
        address = f"https://127.0.0.1:{server.port}"
        server.about = {"issuer": address} | dict.fromkeys(provider.NEEDED, f"{address}/x")
        set_up(service, server, issuer=address)
        assert service.visitor().ask("/sign-in/provider").status_code == 503
        assert "SSLError" in caplog.text
        assert server.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
        assert service.visitor().ask("/sign-in/provider").status_code == 302, "one the service vouches for is"


def test_a_private_key_signs_for_the_client(
    service: Service, there: OidcServer, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    key = RSAKey.generate_key(2048)
    there.client_key = RSAKey.import_key(key.as_dict(private=False))
    file = tmp_path / "client.pem"
    file.write_bytes(key.as_pem(private=True))
    set_up(service, there, secret=f"key:{file}", key_id="our-key", key_algorithm="RS512")
    visitor = service.visitor()
    assert whole_way(visitor, there).status_code == 200
    file.write_bytes(key.as_pem(private=False))
    assert whole_way(service.visitor(), there).status_code == 503, "a public key signs nothing"
    file.unlink()
    assert whole_way(service.visitor(), there).status_code == 503
    assert "can't be read" in caplog.text


def test_another_site_begins_no_sign_in(service: Service, there: OidcServer) -> None:
    response = service.visitor().ask("/sign-in/provider", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.headers["Location"].startswith("/sign-in?next=")


def test_no_token_code_or_secret_is_stored_or_logged(
    service: Service, there: OidcServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="consult")
    sent = [there.authorize(begin(service.visitor())) for _ in range(2)]
    visitor = service.visitor()
    whole = there.authorize(begin(visitor))
    come_back(visitor, whole)
    held = service.instance.db.read()
    tables = [r[0] for r in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    kept = str([tuple(row) for table in tables for row in held.execute(f'SELECT * FROM "{table}"')])
    secret = [there.issued[-1], "an access token", SECRET, there.subject, whole["code"], sent[0]["state"]]
    assert not [word for word in secret if word in kept or word in caplog.text]


def test_until_a_provider_is_set_up_nothing_is_asked_outside(service: Service) -> None:
    for path in ("/sign-in/provider", "/sign-in/provider/back"):
        assert service.visitor().ask(path).status_code == 404
    page = service.visitor().ask("/sign-in").text
    assert "/sign-in/provider" not in page


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"])
def test_a_provider_that_lets_somebody_wait_in_vain_holds_up_few_pages_and_none_again_at_once(
    service: Service, begins: bytes
) -> None:
    """It takes connections and never ends a reply; ten people press the button, and the server has four threads."""
    with Mute(begins) as mute, ThreadPoolExecutor(10) as hands:
        set_up(service, OidcServer(mute.port), secret="")
        assert list(hands.map(is_refused, [service.visitor() for _ in range(10)])) == [True] * 10
        assert mute.asked == 2, "all others were told so without waiting for it"
        assert is_refused(service.visitor())
        assert mute.asked == 2, "and so is whoever presses now"


class Mute:
    """A server that begins every reply and ends none."""

    def __init__(self, begins: bytes) -> None:
        self.begins, self.held = begins, list[socket.socket]()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])

    @property
    def asked(self) -> int:
        """How often somebody has waited for it."""
        return len(self.held)

    def __enter__(self) -> Mute:
        self.thread = threading.Thread(target=self._begin)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for one in (*self.held, self.server):
            one.close()

    def _begin(self) -> None:
        with suppress(OSError):  # closed once the test is over
            while True:
                self.held.append(self.server.accept()[0])
                self.held[-1].sendall(self.begins)


def is_refused(visitor: Visitor) -> bool:
    response = visitor.client.get("/sign-in/provider")
    return response.status_code == 503 and "use name and password" in response.text


@pytest.mark.parametrize(
    ("issuer", "goes_there"),
    [("https://id.example.org/", "env:THE_SECRET"), ("https://id.evil.example/", ""), ("https://id.example.org", "")],
)
def test_no_page_says_where_the_secret_lies_and_another_issuer_gets_none(
    service: Service, issuer: str, goes_there: str
) -> None:
    """The place is a file or a variable of the server: a page that took one could have any of them sent away."""
    there = Provider("https://id.example.org/", CLIENT, "Example ID", "env:THE_SECRET")
    with service.instance.db.write() as conn:
        single_sign_on.set_provider(conn, there, "test", service.instance.store.at())
    admin = service.visitor("administrator")
    sent = {"issuer": issuer, "client_id": "c", "label": "Renamed", "leeway": "30"}
    for asked in ({}, {"secret": "file:/proc/self/environ"}, {"secret": "env:CONSULT_FACTOR_KEY"}):
        assert admin.post("/settings/sign-on", sent | asked).status_code == 302
        found = single_sign_on.provider(service.instance.db.read())
        assert found is not None
        assert (found.label, found.secret) == ("Renamed", goes_there)


def test_what_is_no_place_of_a_secret_is_refused() -> None:
    with pytest.raises(SettingRefused, match="never the secret itself"):
        Provider("https://id.example.org/", CLIENT, "Example ID", "hunter2 hunter2").check()


@pytest.mark.parametrize(
    ("issuer", "fits"),
    {
        "https://id.example.org": True,
        "https://id.example.org:443/realms/a": True,
        "http://127.0.0.1:9000": True,
        "http://localhost:9000": True,
        "http://id.example.org": False,
        "http://localhost.evil.example": False,
        "https://id.example.org/?a=b": False,
        "https://a:b@id.example.org": False,
        "ftp://id.example.org": False,
        "https://": False,
        "": False,
    }.items(),
)
def test_an_issuer_is_asked_over_tls_or_on_this_machine(issuer: str, fits: bool) -> None:
    one = Provider(issuer, "c", "l")
    if fits:
        one.check()
    else:
        with pytest.raises(SettingRefused, match="https"):
            one.check()


# --- a form held behind an ended session --------------------------------------------------------------------------


OURS = {"Sec-Fetch-Site": "same-origin"}


def held_after_a_sign_out(service: Service, nurse: Visitor, consultation: str) -> tuple[str, Any]:
    """The address and the page that a form gets which was sent after a sign-out in another window."""
    path, key = f"/consultations/{consultation}/answers", "one-key-of-the-page-0001"
    sent = {"seen.harm_belief": "0", "a.harm_belief": "present", "key": key, "csrf_token": nurse.csrf()}
    nurse.post("/sign-out")
    nurse.token = ""
    return path, nurse.client.post(path, data=sent, headers=OURS)


def going_on(page: str) -> dict[str, str]:
    """What the form sends that is for whoever has signed in in another window."""
    forms = (f for f in pages.parse(page).iter("form") if "go on" in pages.text(f))
    return {i.get("name") or "": i.get("value") or "" for i in next(forms).iter("input")}


@pytest.mark.parametrize(("role", "code"), [("nurse", 302), ("doctor", 404)])
def test_a_form_held_behind_an_ended_session_goes_on_after_a_sign_in_at_the_provider(
    service: Service, nurse: Visitor, there: OidcServer, role: str, code: int
) -> None:
    consultation = service.begin()
    path, asked = held_after_a_sign_out(service, nurse, consultation)
    assert asked.status_code == 401
    early = nurse.client.post(path, data=going_on(asked.text), headers=OURS)
    assert early.status_code == 401, "nobody has signed in yet: it is held on"
    if role == "doctor":
        with service.instance.db.write() as conn:
            single_sign_on.unlink(conn, service.who["nurse"].actor, "test", service.instance.store.at())
        link(service, there, "doctor")
    whole_way(nurse, there)  # in another window of the same browser
    shown = nurse.client.post(path, data=going_on(early.text), headers=OURS)
    assert shown.status_code == 200
    assert "It is recorded under your name if you send it" in shown.text
    assert {"nurse": "Nora Nurse", "doctor": "Dan Doctor"}[role] in shown.text
    assert service.answer(consultation, "harm_belief") is None, "it is only shown"
    sends = next(f for f in pages.parse(shown.text).iter("form") if f.get("action") == path)
    sent = {i.get("name") or "": i.get("value") or "" for i in sends.iter("input")}
    assert nurse.client.post(path, data=sent, headers=OURS).status_code == code
    recorded = service.answer(consultation, "harm_belief")
    assert (recorded is not None) == (role == "nurse")


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere.example"}])
def test_another_site_can_not_have_anything_held_or_shown(
    service: Service, nurse: Visitor, there: OidcServer, headers: dict[str, str]
) -> None:
    consultation = service.begin()
    sent = {"seen.harm_belief": "0", "a.harm_belief": "present", "held_here": "yes", "csrf_token": "old"}
    reply = nurse.client.post(f"/consultations/{consultation}/answers", data=sent, headers=headers)
    assert reply.status_code in (400, 403)
    assert "held" not in pages.text(pages.parse(reply.text))
    assert service.answer(consultation, "harm_belief") is None


def test_a_form_that_meets_the_lock_is_recorded_after_a_sign_in_at_the_provider_in_another_window(
    service: Service, nurse: Visitor, there: OidcServer
) -> None:
    consultation = service.begin()
    nurse.post("/lock")
    path = f"/consultations/{consultation}/answers"
    locked = nurse.post(path, {"seen.harm_belief": "0", "a.harm_belief": "present", "csrf_token": nurse.csrf()})
    assert locked.status_code == 423
    assert "in another window" in locked.text
    whole_way(nurse, there)
    form = next(f for f in pages.parse(locked.text).iter("form") if "Go on" in pages.text(f))
    sent = {i.get("name") or "": i.get("value") or "" for i in form.iter("input")}
    assert nurse.client.post(path, data=sent, headers=OURS).status_code == 302
    recorded = service.answer(consultation, "harm_belief")
    assert recorded is not None
