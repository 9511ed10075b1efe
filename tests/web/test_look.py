"""The look of the screen: kept for a person in a browser, never for whoever comes next."""

from __future__ import annotations

from visiting import Service, Visitor

from consult.web import static


def linked(visitor: Visitor) -> list[str]:
    """The media for which the style that a page links holds the low-light look."""
    address = next(e.get("href") or "" for e in visitor.get("/leaflets").iter("link") if e.get("rel") == "stylesheet")
    style, dark = visitor.ask(address).text, static._of("low-light.css")
    return [style[: style.index(dark)].rpartition("@media ")[2].strip(" {")] if dark in style else []


def test_until_one_is_chosen_it_follows_the_computer_and_is_never_printed(nurse: Visitor) -> None:
    assert linked(nurse) == ["screen and (prefers-color-scheme: dark)"]
    assert nurse.post("/look", {"look": "low-light", "next": "/leaflets"}).headers["Location"] == "/leaflets"
    assert linked(nurse) == ["screen"]
    nurse.post("/look", {"look": "light", "next": "/leaflets"})
    assert linked(nurse) == []


def test_on_a_shared_computer_the_next_person_has_their_own(service: Service, nurse: Visitor) -> None:
    nurse.post("/look", {"look": "low-light", "next": "/"})
    other = service.visitor("doctor").client.get_cookie("consult_session")
    assert other is not None
    nurse.client.set_cookie("consult_session", other.value)
    assert linked(nurse) == ["screen and (prefers-color-scheme: dark)"]


def test_what_is_no_look_is_refused_and_another_host_is_never_gone_to(nurse: Visitor) -> None:
    assert nurse.post("/look", {"look": "purple", "next": "/"}).status_code == 400
    sent = nurse.post("/look", {"look": "light", "next": "//elsewhere.example"})
    assert sent.headers["Location"] == "/"


def test_the_cookie_names_nobody(service: Service, nurse: Visitor) -> None:
    cookie = nurse.post("/look", {"look": "light", "next": "/"}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "nora" not in cookie.lower()
