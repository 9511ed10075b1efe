"""The leaflets at the end of a consultation: the core one open, the others folded until they are used."""

from __future__ import annotations

from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element

import pages
import pytest
from msgspec.structs import replace
from visiting import Service, Visitor

from consult.documents.note import note
from consult.documents.signing import case_of
from consult.web.desk import printed_format

TITLE = "Leaflet: "


def named(part: Element) -> list[str]:
    return [e.get("aria-label", "").removeprefix(TITLE) for e in part.iter("div") if e.get("role") == "group"]


def folded(page: Element) -> list[str]:
    return [title for e in page.iter("details") if e.get("id") == "other-leaflets" for title in named(e)]


def standing_open(page: Element) -> list[str]:
    return [title for title in named(page) if title not in folded(page)]


def test_only_the_core_leaflet_stands_open(service: Service, nurse: Visitor) -> None:
    leaflets = service.instance.leaflets.values()
    for talk in (service.begin(), service.signed()):
        page = nurse.get(f"/consultations/{talk}")
        assert standing_open(page) == [leaflet.title for leaflet in leaflets if leaflet.core]
        assert folded(page) == [leaflet.title for leaflet in leaflets if not leaflet.core]
        assert [e.get("open") for e in page.iter("details") if e.get("id") == "other-leaflets"] == [None]


def test_a_leaflet_that_was_used_comes_out_of_the_fold(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    other = next(leaflet for leaflet in service.instance.leaflets.values() if not leaflet.core)
    data = {"language": other.language}
    assert nurse.post(f"/consultations/{talk}/leaflets/{other.id}/discussed", data).status_code == 302
    page = nurse.get(f"/consultations/{talk}")
    assert other.title in standing_open(page)
    assert other.title not in folded(page)
    assert "Leaflet discussed" in "".join(page.itertext())


def test_each_leaflet_offers_the_formats_it_has(service: Service, nurse: Visitor) -> None:
    page = nurse.get(f"/consultations/{service.begin()}")
    offered = {
        group.get("aria-label", "").removeprefix(TITLE): [
            dict(parse_qsl(e.get("value", "")))["format"]
            for e in group.iter("button")
            if e.get("formaction", "").endswith("/printed") and "of=" not in e.get("value", "")
        ]
        for group in page.iter("div")
        if group.get("role") == "group"
    }
    for leaflet in service.instance.leaflets.values():
        assert sorted(offered[leaflet.title]) == sorted(leaflet.formats)


def test_what_was_printed_in_another_tab_is_given_in_that_format_and_said_on_the_screen(
    service: Service, nurse: Visitor
) -> None:
    talk = service.begin()
    core = next(leaflet for leaflet in service.instance.leaflets.values() if leaflet.core)
    address = f"/consultations/{talk}/leaflets/{core.id}"
    assert "Leaflet printed" not in nurse.client.get(f"/consultations/{talk}/papers").text
    nurse.post(f"{address}/printed", {"language": core.language, "format": "large"})
    assert "Leaflet printed (large print)" in nurse.client.get(f"/consultations/{talk}/papers").text
    nurse.post(f"{address}/given", {"language": core.language, "form": "printed", "format": ""})
    given = service.consultation(talk).documents[-1]
    assert given.content is not None
    assert (given.kind, given.content["format"]) == ("leaflet_given", "large")


@pytest.mark.parametrize(
    ("done", "again"), [(("printed", "given", "discussed"), True), (("given",), True), (("discussed",), False)]
)
def test_an_ended_consultation_lists_what_was_printed_given_and_discussed(
    service: Service, nurse: Visitor, done: tuple[str, ...], again: bool
) -> None:
    talk = service.signed()
    core = next(leaflet for leaflet in service.instance.leaflets.values() if leaflet.core)
    for one in done:
        sent = {"language": core.language, "format": "a4", "form": "link"}
        assert nurse.post(f"/consultations/{talk}/leaflets/{core.id}/{one}", sent).status_code == 302
    (listed,) = [e for e in nurse.get(f"/consultations/{talk}").iter("div") if "paper--again" in (e.get("class") or "")]
    said = pages.text(listed)
    words = {
        "printed": "Leaflet printed (A4) on ",
        "given": "Leaflet given as a link on ",
        "discussed": "Leaflet discussed on ",
    }
    assert [name for name, text in words.items() if text in said] == list(done)
    assert said.startswith(f"{core.title}, version {core.version}. Leaflet {done[0]}")
    assert ("Print the same text again" in said) == again


@pytest.mark.parametrize("leaflet_id", ["back-pain-core", "back-pain-leg-pain"])
def test_the_note_names_site_and_leaflet_as_people_do(service: Service, nurse: Visitor, leaflet_id: str) -> None:
    talk = service.begin()
    leaflet = next(one for one in service.instance.leaflets.values() if one.id == leaflet_id)
    nurse.post(f"/consultations/{talk}/leaflets/{leaflet.id}/given", {"language": leaflet.language, "format": "large"})
    said = " ".join(nurse.ask(f"/consultations/{talk}/note").text.split())
    which = f"(language {leaflet.in_language}, version {leaflet.version}, Large print)."
    assert (
        f"Leaflet given printed: {leaflet.title} {which}" in said or f"Leaflet given: {leaflet.title} {which}" in said
    )
    assert " Site: Site A (invented). " in said
    assert leaflet.id not in said


@pytest.mark.parametrize("form", ["printed", "link"])
def test_what_is_given_for_the_manager_is_no_information_given_to_the_employee(
    service: Service, nurse: Visitor, form: str
) -> None:
    for leaflet in service.instance.leaflets.values():
        talk = service.begin()
        sent = {"language": leaflet.language, "format": "a4", "form": form}
        nurse.post(f"/consultations/{talk}/leaflets/{leaflet.id}/given", sent)
        found = service.consultation(talk)
        own = leaflet.audience == "employee"
        filled = {"printed": "printed_leaflet", "link": "link"}[form] if own else ""
        assert case_of(service.instance.store, found)["info_form"] == filled
        said = note(found, service.instance.store.path_of(found))
        assert ("for the manager" in said) != own
        assert ("as a link" in said) == (form == "link")
        assert ("for the manager" in nurse.ask(f"/consultations/{talk}/papers").text) != own


def button(visitor: Visitor, talk: str) -> list[str]:
    page = visitor.get(f"/consultations/{talk}")
    presses = [e for e in page.iter("button") if e.get("formaction", "").endswith("/not-given")]
    return [dict(parse_qsl(e.get("value", "")))["given"] for e in presses]


def test_given_by_mistake_is_taken_back_by_one_press_and_counts_nowhere(service: Service, nurse: Visitor) -> None:
    talk, store = service.begin(), service.instance.store
    core = next(leaflet for leaflet in service.instance.leaflets.values() if leaflet.core)
    address, sent = f"/consultations/{talk}/leaflets/{core.id}", {"language": core.language, "format": "a4"}
    assert button(nurse, talk) == []
    for form in ("link", "printed"):
        nurse.post(f"{address}/given", {**sent, "form": form})
    link, printed = button(nurse, talk)
    for _ in range(2):  # the second from another tab changes nothing
        assert nurse.post(f"{address}/not-given", {"given": link}).status_code == 302
    found = service.consultation(talk)
    assert [s.kind for s in found.documents] == ["leaflet_given", "leaflet_given", "leaflet_not_given"]
    assert case_of(store, found)["info_form"] == "printed_leaflet"
    assert button(nurse, talk) == [printed]
    nurse.post(f"{address}/not-given", {"given": printed})
    found = service.consultation(talk)
    assert case_of(store, found)["info_form"] == ""
    assert "eaflet given" not in note(found, store.path_of(found))
    assert "No leaflet" in note(found, store.path_of(found))
    assert "Leaflet not given after all as a link" in pages.text(nurse.get(f"/consultations/{talk}"))
    assert "Leaflet not given after all as a link" in pages.text(nurse.get(f"/consultations/{talk}/steps"))
    nurse.post(f"{address}/given", {**sent, "form": "link"})
    assert case_of(store, service.consultation(talk))["info_form"] == "link", "and it can be given again"


def test_what_was_given_is_taken_back_only_while_the_consultation_is_open_by_the_one_who_holds_it(
    service: Service, nurse: Visitor
) -> None:
    core = next(leaflet for leaflet in service.instance.leaflets.values() if leaflet.core)
    sent = {"language": core.language, "format": "a4", "form": "printed"}
    signed, open_ = service.signed(), service.begin()
    for talk in (signed, open_):
        nurse.post(f"/consultations/{talk}/leaflets/{core.id}/given", sent)
    of_signed, of_open = (service.consultation(talk).documents[-1].seq for talk in (signed, open_))
    assert button(nurse, signed) == []
    refused = [(nurse, signed, of_signed), (nurse, open_, of_signed), (nurse, open_, 0)]
    for visitor, talk, given in [*refused, (service.visitor("doctor"), open_, of_open)]:
        answer = visitor.post(f"/consultations/{talk}/leaflets/{core.id}/not-given", {"given": str(given)})
        assert answer.status_code >= 400, (talk, given)
    assert [s.kind for t in (signed, open_) for s in service.consultation(t).documents] == ["leaflet_given"] * 2


def test_what_was_done_with_a_leaflet_is_said_of_no_other_language(service: Service, nurse: Visitor) -> None:
    talk, leaflets = service.begin(), service.instance.leaflets
    core = next(leaflet for leaflet in leaflets.values() if leaflet.core)
    other = replace(core, language="pl", title="Po polsku", digest="0" * 64)
    service.instance.leaflets.clear()
    service.instance.leaflets.update({(core.id, "pl"): other, (core.id, core.language): core})
    address = f"/consultations/{talk}/leaflets/{core.id}"
    nurse.post(f"{address}/printed", {"language": core.language, "format": "large"})
    nurse.post(f"{address}/given", {"language": core.language, "form": "printed", "format": ""})
    nurse.post(f"{address}/given", {"language": "pl", "form": "printed", "format": ""})
    found = service.consultation(talk)
    assert [printed_format(found, one) for one in (core, other)] == ["large", ""]
    assert [s.content["format"] for s in found.documents if s.content] == ["large", "large", ""]
    page = nurse.get(f"/consultations/{talk}")
    lines = {e.get("id"): pages.text(e) for e in page.iter("p") if "paper__done" in (e.get("class") or "")}
    assert "Leaflet printed" in lines[f"done-{core.id}-{core.language}"]
    assert "Leaflet printed" not in lines[f"done-{core.id}-pl"]
    leaflets[core.id, core.language] = replace(core, digest="1" * 64)
    (again,) = [e for e in nurse.get(f"/consultations/{talk}").iter("div") if "paper--again" in (e.get("class") or "")]
    assert pages.text(again).startswith(core.title), "and not as the other language calls it"


def test_a_leaflet_that_is_no_longer_in_use_is_still_listed_by_the_title_it_had(
    service: Service, nurse: Visitor
) -> None:
    """It was listed by its code, and one that had changed by the title it has now."""
    talk, leaflet = service.signed(), service.instance.leaflets["back-pain-core", "en"]
    sent = {"language": "en", "form": "printed", "format": "a4"}
    nurse.post(f"/consultations/{talk}/leaflets/{leaflet.id}/given", sent)
    del service.instance.leaflets["back-pain-core", "en"]
    said = [pages.text(e) for e in nurse.get(f"/consultations/{talk}").iter("p") if e.get("class") == "paper__name"]
    assert any(one.startswith(f"{leaflet.title}, version {leaflet.version}. Leaflet given") for one in said)
    assert not any(leaflet.id in one for one in said)
