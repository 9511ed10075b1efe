"""The life of a leaflet: past its review date it prints only while an administrator has confirmed that very text."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pages
import pytest
from click.testing import CliRunner
from visiting import Service, Visitor

from consult.cli import main
from consult.documents.leaflet import Leaflet, parse

CORE = "back-pain-core"


def past_its_date(service: Service) -> Leaflet:
    """The core leaflet, in use and past its review date."""
    old = service.instance.leaflets[CORE, "en"]
    yesterday = service.instance.today() - timedelta(days=1)
    due = parse(old.text.replace(f"review_by = {old.review_by}", f"review_by = {yesterday}"), f"{CORE}/en.md")
    assert due.review_by == yesterday
    service.instance.leaflets[CORE, "en"] = due
    return due


def confirm(visitor: Visitor, days: int | None, reason: str = "The review meets next month", **more: str) -> int:
    until = "" if days is None else (visitor.service.instance.today() + timedelta(days=days)).isoformat()
    sent = {"language": "en", "until": until, "reason": reason, **more}
    return visitor.post(f"/settings/leaflets/{CORE}", sent).status_code


def prints(service: Service) -> bool:
    """Whether it prints on every way there is: the page, the PDF, and from a consultation."""
    nurse = service.visitor("nurse")
    talk = service.begin()
    sent = {"format": "a4", "language": "en"}
    found = {
        nurse.ask(f"/leaflets/{CORE}").status_code == 200,
        nurse.client.get(f"/leaflets/{CORE}?as=pdf").status_code == 200,
        nurse.post(f"/consultations/{talk}/leaflets/{CORE}/printed", sent).status_code == 302,
    }
    assert len(found) == 1
    return found.pop()


def test_past_its_date_it_prints_once_confirmed_and_only_until_then(service: Service) -> None:
    assert prints(service)
    leaflet = past_its_date(service)
    assert not prints(service)
    admin = service.visitor("administrator")
    assert "No. This leaflet passed its review date" in admin.ask("/settings").text
    assert confirm(admin, 30) == 302
    assert prints(service)
    page = admin.ask("/settings").text
    assert "by Adi Admin: The review meets next month" in page

    known = service.instance.confirmations[leaflet.digest]
    assert (known.by, known.reason) == (service.who["administrator"].actor, "The review meets next month")
    service.clock.ahead = timedelta(days=30)
    assert prints(service)
    service.clock.ahead = timedelta(days=31)
    assert not prints(service)


def test_a_confirmation_is_of_that_very_text(service: Service) -> None:
    leaflet = past_its_date(service)
    assert confirm(service.visitor("administrator"), 30) == 302
    changed = parse(leaflet.text.replace("Keep moving", "Stir about"), f"{CORE}/en.md")
    service.instance.leaflets[CORE, "en"] = changed
    assert not prints(service)


@pytest.mark.parametrize(
    ("days", "more", "why"),
    [
        (None, {}, "Give the day"),
        (30, {"reason": "  "}, "Say why"),
        (-2, {}, "Give a day from today"),
        (93, {}, "Give a day from today"),
        (30, {"language": "pl"}, "There is no leaflet"),
    ],
)
def test_what_can_not_be_confirmed_is_refused(
    service: Service, days: int | None, more: dict[str, str], why: str
) -> None:
    past_its_date(service)
    admin = service.visitor("administrator")
    until = "" if days is None else (service.instance.today() + timedelta(days=days)).isoformat()
    response = admin.post(f"/settings/leaflets/{CORE}", {"language": "en", "until": until, "reason": "Because", **more})
    assert response.status_code == 422
    assert why in response.text
    assert service.instance.confirmations == {}
    assert not prints(service)


def test_one_that_prints_anyway_needs_no_confirmation(service: Service) -> None:
    response = service.visitor("administrator").post(
        f"/settings/leaflets/{CORE}",
        {"language": "en", "until": service.instance.today().isoformat(), "reason": "To be sure"},
    )
    assert response.status_code == 422
    assert "anyway" in response.text


def test_a_version_whose_english_moved_on_does_not_print_and_is_not_confirmed(service: Service) -> None:
    easy = service.instance.leaflets["back-pain-core-easy-read", "en"]
    assert easy.translation_of == f"{CORE}/en"
    core = service.instance.leaflets[CORE, "en"]
    assert service.instance.why_not_print(easy) is None
    service.instance.leaflets[CORE, "en"] = parse(core.text.replace("Keep moving", "Stir about"), f"{CORE}/en.md")
    said = service.instance.why_not_print(easy)
    assert said is not None
    assert "has changed since" in said
    nurse, talk = service.visitor("nurse"), service.begin()
    for address in (f"/leaflets/{easy.id}", f"/leaflets/{easy.id}?as=pdf"):
        assert nurse.ask(address).status_code == 409
    sent = {"format": easy.formats[0], "language": "en"}
    assert nurse.post(f"/consultations/{talk}/leaflets/{easy.id}/printed", sent).status_code == 422
    service.clock.ahead = easy.review_by - service.instance.today() + timedelta(days=1)
    until = (service.instance.today() + timedelta(days=9)).isoformat()
    response = service.visitor("administrator").post(
        f"/settings/leaflets/{easy.id}", {"language": "en", "until": until, "reason": "It is still right"}
    )
    assert response.status_code == 422
    assert "has changed since" in response.text


def test_the_command_lists_and_confirms(made: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(made, tmp_path / "instance"))
    run = CliRunner()
    listed = run.invoke(main, ["confirm", "--instance", str(folder)])
    assert (listed.exit_code, f"{CORE} en" in listed.output) == (0, True), listed.output
    refused = run.invoke(
        main, ["confirm", CORE, "--until", "2020-01-01", "--reason", "Because", "--instance", str(folder)]
    )
    assert refused.exit_code != 0
    assert "Give a day from today" in refused.output
    unsaid = run.invoke(main, ["confirm", CORE, "--instance", str(folder)])
    assert unsaid.exit_code == 2


def test_each_language_of_a_leaflet_is_named_in_the_list_and_opened_from_there(service: Service) -> None:
    """The list named no language, and the addresses of a translation led to the English text."""
    core = service.instance.leaflets[CORE, "en"]
    made = {'language = "en"': 'language = "cy"', 'language_name = "English"': 'language_name = "Welsh"'}
    text = core.text
    for old, new in made.items():
        text = text.replace(old, f'{new}\ntranslation_of = "{CORE}/en"' if old.startswith("language =") else new, 1)
    text = text.replace("+++\nid", f'+++\nsource_digest = "{core.digest}"\ntranslator = "Nobody, invented"\nid', 1)
    service.instance.leaflets[CORE, "cy"] = parse(text, f"{CORE}/cy.md")
    nurse = service.visitor("nurse")
    page = nurse.get("/leaflets")
    rows = {pages.text(row): row for row in page.iter("tr") if core.title in pages.text(row)}
    (welsh,) = (row for said, row in rows.items() if "Welsh" in said)
    assert len([said for said in rows if "English" in said]) == 1
    for link in welsh.iter("a"):
        assert 'lang="cy"' in nurse.ask(link.get("href") or "").text
    assert "(Welsh)" in pages.text(service.visitor("administrator").get("/settings"))


def test_a_leaflet_that_does_not_say_what_its_language_is_called_goes_by_the_tag(service: Service) -> None:
    """So that the note of what was given before it did stays, word for word, as it was signed."""
    core = service.instance.leaflets[CORE, "en"]
    before = parse(core.text.replace('language_name = "English"\n', ""), f"{CORE}/en.md")
    assert (before.in_language, core.in_language) == ("en", "English")
