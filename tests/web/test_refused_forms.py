"""Every form of every page, sent blank and sent with nonsense: what is refused is said, linked and takes the focus.

Forms are gathered from the pages themselves, as each role sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pages
import pytest
from addresses import address, methods, rules, values_of
from every_form import fields_of
from visiting import CASE, PEOPLE, Service, Visitor

from consult.accounts.policy import allowed
from consult.proforma.answer import Answer

LEFT_OUT = ("/sign-out", "/lock", "/look", "/account/sessions")
"""Forms that can't be refused, or that end the session which the others are sent with."""
BARE = ("/sign-in", "/unlock")
"""Where it is never said which of the fields was wrong."""
SECRET = ("code", "current", "new", "again")
"""The fields, beside passwords, whose text is never given back."""
TYPED = ("text", "textarea", "search", "password", "number", "email")
LEAST = {"": 1, "coordinator": 2, "audit_lead": 12, "nurse": 24}
"""How many different forms are refused at least, so that the test sees what it is about; of other roles 9."""
NONSENSE = ("0 nonsense " * 400).strip()


@pytest.fixture(scope="module")
def values(shared: Service) -> list[dict[str, str]]:
    """Something that is there for each part of an address: an open consultation and its case, then what has ended."""
    found = values_of(shared)
    save(shared, found["consultation_id"], "saddle_feeling_change", Answer("present"))
    return [found, found | ended(shared, found["sitting_id"])]


def save(service: Service, consultation_id: str, question: str, answer: Answer) -> None:
    store = service.instance.store
    about = store.library.current.proforma.by_id[question]
    store.save(consultation_id, about, answer, 0, f"{consultation_id}:{question}", "single", service.who["nurse"])


def ended(service: Service, sitting: str) -> dict[str, str]:
    """A signed consultation whose report is final, and a case from notes that is in the sample of a round."""
    wish = {"report_consent": "given", "report_copy_choice": "before", "can_do_at_work": "Desk work"}
    signed = service.signed(**{name: Answer("answered", value) for name, value in wish.items()})
    nurse, lead = service.visitor("nurse"), service.visitor("audit_lead")
    assert nurse.post(f"/consultations/{signed}/report", {"kind": "manager", "act": "final"}).status_code == 302
    draft = f"/entry/{sitting}/cases/22222222-2222-4222-8222-222222222222"
    assert nurse.post(draft, {**CASE, "f.case_ref": "R-1", "act": "last"}).status_code == 302
    made = {"name": "Notes", "capture": "retrospective", "start": "2026-01-01", "end": "2026-12-31"}
    round_ = lead.post("/rounds/new", {**made, "rule": "all", "n": "40"}).headers["Location"].rpartition("/")[2]
    assert lead.post(f"/rounds/{round_}/readings/draw").status_code == 302
    return {"consultation_id": signed, "round_id": round_, "mode": "retrospective", "case_ref": "R-1"}


def forms_on(visitor: Visitor, path: str) -> Iterator[tuple[str, Element, Element]]:
    """The forms of a page that post: where to, the form, and the page it is on."""
    response = visitor.ask(path)
    if response.status_code != 200 or response.mimetype != "text/html":
        return
    if not response.text.lstrip().lower().startswith("<!doctype"):
        return
    page = pages.parse(response.text)
    for form in page.iter("form"):
        if (form.get("method") or "").lower() == "post" and form.get("hidden") is None:
            yield (form.get("action") or path).split("#")[0], form, page


def ways(page: Element, form: Element, to: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each button of a form sends it, and what with it: every box holds one text, nothing is chosen or ticked."""
    kinds = {e.get("name"): e.get("type") or e.tag for e in page.iter() if e.get("name")}
    boxes = {name: text for name, _ in fields_of(page, form) if kinds[name] in TYPED}
    hidden = {name: value for name, value in fields_of(page, form) if kinds[name] == "hidden"}
    for button in list(form.iter("button")) or [form]:
        pressed = {button.get("name") or "": button.get("value") or ""} if button.get("name") else {}
        yield button.get("formaction") or to, {**hidden, **boxes, **(pressed if button is not form else {})}


def faults(page: Element, sent: dict[str, str], to: str) -> Iterator[str]:
    """What is wrong with the reply to a refused form."""
    if not pages.title(page).startswith("Error: "):
        yield f"the title is {pages.title(page)!r}"
    if pages.title(page).count("Error: ") > 1:
        yield "the title says it twice"
    summaries = [e for e in page.iter("div") if e.get("id") == "error-summary"]
    if len(summaries) != 1:
        yield f"{len(summaries)} summaries"
        return
    (summary,) = summaries
    if (summary.get("tabindex"), summary.get("autofocus"), summary.get("role")) != ("-1", "", "alert"):
        yield "the summary takes no focus"
    focused = [e for e in page.iter() if e.get("autofocus") is not None]
    if focused != [summary]:
        yield "something else takes the focus"
    links = [a.get("href") or "" for a in summary.iter("a")]
    if not links:
        yield "the summary links nowhere"
    for link in links:
        yield from faults_of_link(page, link, to)
    yield from (f"{name} was typed, and is gone" for name in lost(page, sent))


def faults_of_link(page: Element, link: str, to: str) -> Iterator[str]:
    if not link.startswith("#"):
        return
    there = [e for e in page.iter() if e.get("id") == link[1:]]
    if len(there) != 1:
        yield f"{link} leads to {len(there)} places"
    elif there[0].tag in ("input", "select", "textarea") and there[0].get("type") not in ("radio", "checkbox"):
        if not there[0].get("aria-describedby"):
            yield f"{link} is not described by what is wrong with it"
        if not there[0].get("aria-invalid") and not to.startswith(BARE):
            yield f"{link} is not marked as invalid"


def lost(page: Element, sent: dict[str, str]) -> Iterator[str]:
    """The names of what was typed and stands nowhere on the page."""
    held = pages.text(page) + " ".join(v for e in page.iter() for v in (e.get("value"),) if v)
    for name, text in sent.items():
        given_back = text == NONSENSE and "password" not in name and name not in SECRET
        if given_back and NONSENSE[:40] not in held:
            yield name


TEXTS = {"blank": "", "nonsense": NONSENSE}


@pytest.mark.parametrize("role", [*PEOPLE, ""])
def test_a_form_that_is_refused_says_so_in_a_linked_summary_that_takes_the_focus(
    shared: Service, values: list[dict[str, str]], role: str
) -> None:
    """Each page is opened once, and its forms are sent with both texts."""
    visitor, wrong, seen = shared.visitor(role), [], set[object]()
    refused: dict[str, set[str]] = {what: set() for what in TEXTS}
    for path in opened_by(shared, role, values):
        for form_to, form, page in forms_on(visitor, path):
            for what, to, sent in (
                (what, *way) for what, text in TEXTS.items() for way in ways(page, form, form_to, text)
            ):
                if to.startswith(LEFT_OUT) or (shape := (what, to, frozenset(sent), sent.get("act"))) in seen:
                    continue
                seen.add(shape)
                response = visitor.post(to, sent)
                if response.status_code >= 400:
                    refused[what].add(to)
                    found = faults(pages.parse(response.text), sent, to)
                    wrong += [(what, to, response.status_code, fault) for fault in found]
                elif "error-summary" in response.text:
                    wrong.append((what, to, response.status_code, "refused, but not by its status"))
    assert wrong == []
    for addresses in refused.values():
        assert len(addresses) >= LEAST.get(role, 9), sorted(addresses)


def opened_by(service: Service, role: str, values: list[dict[str, str]]) -> list[str]:
    """The addresses of the pages that a role opens, each once."""
    opens = [r for r in rules(service) if "GET" in methods(r) and r.endpoint != "static"]
    known = [r for r in opens if not role or allowed(role, r.endpoint)]
    return list(dict.fromkeys(address(service, rule, some) for some in values for rule in known))
