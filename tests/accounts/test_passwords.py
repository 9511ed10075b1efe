"""Passwords: long and not common, nothing else asked; the same work for unknown names."""

import hashlib
import re

import pytest

from consult.accounts import passwords

QUICK = "scrypt:1024:8:1"


@pytest.mark.parametrize(
    "password",
    [
        "quiet otter paints fences",
        "alllowercasewords",
        "passwordless otters in summer",
        "ελληνικά γράμματα",
        "            twelve spaces round",
        "9" + "7316402859" + "4",
    ],
)
def test_a_long_password_is_taken_whatever_it_is_made_of(password):
    assert passwords.why_refused(password, "nell.sample", "Nell Sample") == ""


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("elevenchars", "at least 12"),
        ("", "at least 12"),
        ("x1 " * 70, "at most 200"),
        ("Password1234", "tried first"),
        ("PASSWORD 1234", "tried first"),
        ("qwertyuiop123", "tried first"),
        ("occupationalhealth", "tried first"),
        ("123456789012", "tried first"),
        ("0987654321098", "tried first"),
        ("qwertyuiop12", "tried first"),
        ("P@ssw0rd!!!2026", "tried first"),
        ("2026 Summer 2026", "tried first"),
        ("aaaaaaaaaaaaaaa", "tried first"),
        ("abc123abc123abc123", "tried first"),
        ("nell.sample.2026", "your own name"),
        ("I am Nell Sample!", "your own name"),
    ],
)
def test_short_endless_common_and_own_names_are_refused_in_a_sentence(password, says):
    sentence = passwords.why_refused(password, "nell.sample", "Nell Sample")
    assert says in sentence
    assert sentence.endswith(".")
    assert password == "" or password not in sentence


def test_the_list_of_common_passwords_is_there_and_each_is_refused():
    listed = [password for password in passwords.common() if not password.startswith("~")]
    assert len(listed) > 300
    for password in listed:
        assert len(password) >= passwords.MIN_LENGTH
        assert passwords.why_refused(password) != "", password
        assert passwords.why_refused(password.upper()) != "", password
    for word in passwords.common() - set(listed):
        assert "tried first" in passwords.why_refused(f"{word[1:].title()}2026!2026!"), word


def test_a_hash_is_salted_and_only_its_own_password_matches():
    one, other = (passwords.make_hash("quiet otter paints fences", QUICK) for _ in range(2))
    assert one != other
    assert passwords.matches("quiet otter paints fences", one, QUICK)
    assert not passwords.matches("quiet otter paints fence", one, QUICK)
    assert not passwords.matches("", one, QUICK)


def test_a_letter_typed_as_two_marks_is_the_same_letter():
    known = passwords.make_hash("Zo\u00eb paints all fences", QUICK)
    assert passwords.matches("Zoe\u0308 paints all fences", known, QUICK)


def work_done(monkeypatch, password_hash, method):
    """The hash work of one check, as what scrypt is asked for: the sum of N x r x p."""
    asked, real = [], hashlib.scrypt

    def counting(password, **how):
        asked.append(how["n"] * how["r"] * how["p"])
        return real(password, **how)

    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "scrypt", counting)
        passwords.matches("quiet otter paints fences", password_hash, method)
    return sum(asked)


def test_hashes_are_made_with_the_work_that_current_guidance_asks():
    """OWASP: N = 2^17, r = 8, p = 1, or as much by N = 2^15, r = 8, p = 3."""
    assert passwords.METHOD == "scrypt:32768:8:3"
    real = passwords.make_hash("quiet otter paints fences")
    assert re.fullmatch(r"scrypt:32768:8:3\$[^$]+\$[0-9a-f]{128}", real)
    assert [passwords.weaker(m) for m in ("scrypt:32768:8:3", "scrypt:131072:8:1", "scrypt:32768:8:1")] == [
        False,
        False,
        True,
    ]


def test_an_unknown_name_costs_the_same_hash_work_as_a_known_one_and_as_one_hashed_long_ago(monkeypatch):
    method = "scrypt:1024:8:3"
    known = passwords.make_hash("quiet otter paints fences", method)
    before = passwords.make_hash("quiet otter paints fences", "scrypt:1024:8:1")
    done = {work_done(monkeypatch, one, method) for one in (known, before, "", passwords.nobody(method))}
    assert done == {1024 * 8 * 3}
    assert not passwords.matches("quiet otter paints fences", "", method)
    assert passwords.matches("quiet otter paints fences", before, method)
    assert (passwords.outdated(before, method), passwords.outdated(known, method)) == (True, False)


@pytest.mark.parametrize(
    ("password", "taken"),
    [
        ("consult-backpain-2026", False),
        ("Occupational Health 1", False),
        ("NORTHWICK works 99", False),
        ("abc7 nurse doctor", False),
        ("Harbour Road clinic!", False),
        ("consult plums at dawn", True),
        ("northwick otters sing", True),
        ("my consultation of plums", True),
    ],
)
def test_a_password_of_little_but_words_of_the_service_is_refused(password, taken):
    sentence = passwords.why_refused(password, "nell", service=["NORTHWICK", "ABC7", "Harbour Road Works"])
    assert (sentence == "") == taken
    assert taken or "words of this service" in sentence or "tried first" in sentence


def test_every_listed_word_of_the_service_is_refused_alone_and_with_a_year():
    assert len(passwords.service_words()) > 20
    for word in passwords.service_words():
        assert passwords.why_refused((word + "-2026!" * 3)[: max(12, len(word) + 7)]) != "", word


def test_a_very_long_guess_is_cut_before_the_work_and_never_matches():
    long = "x" * 500
    assert not passwords.matches(long, passwords.make_hash(long[: passwords.MAX_LENGTH], QUICK), QUICK)
