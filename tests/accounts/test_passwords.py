"""Passwords: long and not common, nothing else asked; the same work for unknown names."""

import re

import pytest

from consult.accounts import passwords


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
    one, other = (passwords.make_hash("quiet otter paints fences") for _ in range(2))
    assert one != other
    assert passwords.matches("quiet otter paints fences", one)
    assert not passwords.matches("quiet otter paints fence", one)
    assert not passwords.matches("", one)


def test_a_letter_typed_as_two_marks_is_the_same_letter():
    assert passwords.matches("Zoe\u0308 paints all fences", passwords.make_hash("Zo\u00eb paints all fences"))


def test_an_unknown_name_costs_the_same_hash_work_as_a_known_one():
    real = passwords.make_hash("quiet otter paints fences")
    method = re.compile(r"scrypt:32768:8:1\$[^$]+\$[0-9a-f]{128}")
    assert method.fullmatch(real)
    assert method.fullmatch(passwords.NOBODY)
    assert not passwords.matches("quiet otter paints fences", "")


def test_a_very_long_guess_is_cut_before_the_work_and_never_matches():
    long = "x" * 500
    assert not passwords.matches(long, passwords.make_hash(long[: passwords.MAX_LENGTH]))
