"""Evidence: each figure is that of the results of the moment, nothing small or personal leaves, boxes stay empty."""

from __future__ import annotations

import csv
import io
import random
import re
from contextlib import closing
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pages
import pypdfium2
import pytest
from audited import CANARY, Audited
from bs4 import BeautifulSoup
from constructed import SITES
from visiting import PEOPLE, Service

from consult.audit import leaving, rounds
from consult.audit.comparison import interval, rate, recorded, whole_rate
from consult.audit.rounds import SiteRule, Wanted
from consult.documents import evidence as papers
from consult.documents.evidence import parse_mapping
from consult.evidence import moment, seqohs
from consult.proforma.load import ContentError
from consult.record import ledger

SEED = 5


def rows_of(text: str, caption: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    found = BeautifulSoup(text, "html.parser").find("caption", string=caption)
    assert found is not None, caption
    rows = found.parent.find("tbody").find_all("tr")  # type: ignore[union-attr]
    return {row.find("th").text: [cell.text for cell in row.find_all("td")] for row in rows}


@pytest.mark.parametrize("site", ["", *SITES])
def test_every_figure_of_a_report_is_that_of_the_results(audited: Audited, site: str) -> None:
    text = (
        audited.service.visitor("audit_lead").ask(f"/evidence/rounds/{audited.rounds['After']}/report?site={site}").text
    )
    now, before = audited.counted(audited.rounds["After"], site), audited.counted(audited.rounds["Before"], site)
    rows = rows_of(text, "National headings") | rows_of(text, "Local measures")
    assert len(rows) == len(audited.service.instance.measures.measures)
    for measure in audited.service.instance.measures.measures:
        r, cells = now.measures[measure.id], rows[measure.title]
        assert cells[:3] == [recorded(r), rate(r), interval(r)]
        assert cells[-2:] == [str(r.not_applicable), str(r.missing)]
        assert recorded(before.measures[measure.id]) in cells[3] or not before.measures[measure.id].applicable
    assert f"n = {now.eligible} cases" in text
    complete = now.measures["red_flags_complete"]
    assert f"Red flags; beside it all nine red-flag groups asked about: {whole_rate(complete)}." in text
    any_of_three = now.measures["clear_information_any"]
    beside = "Information, all three; beside it clear information about back pain: any of the three points"
    assert f"{beside}: {whole_rate(any_of_three)}; 2011, from case notes: 48%." in text
    assert "Information, all three: the published wording allows all three points or any of them" in text
    assert audited.service.instance.content.measures_digest in text
    aimed = audited.service.instance.measures.by_id["yellow_flags_screened"].title
    assert f"{aimed}: 80%" in text


def test_a_pack_that_leaves_holds_what_leaves_and_nothing_else(audited: Audited) -> None:
    lead = audited.service.visitor("audit_lead")
    for name, round_id in audited.rounds.items():
        text, now = lead.ask(f"/evidence/rounds/{round_id}/seqohs").text, audited.counted(round_id)
        rows = rows_of(text, "National headings") if leaving.of_results(now) and "National headings" in text else {}
        shown = {
            m.title
            for m in audited.service.instance.measures.measures
            if m.national and leaving.leaves(now.measures[m.id])
        }
        assert set(rows) == shown, name
        for measure in audited.service.instance.measures.measures:
            if measure.title in rows:
                assert rows[measure.title][0] == recorded(now.measures[measure.id])
        assert not [who for who in PEOPLE.values() if who in text]
        assert CANARY not in text
        assert not [site for site in SITES.values() if site in text]
        assert "<script>x" not in text
        small = re.findall(r"<td>[1-4]</td>", text)
        assert small == [], small
        assert re.search(r"Step \d+ of the record, [0-9a-f]{64}", text)
        assert "May leave the provider" in text
    assert "fewer than 10" in lead.ask(f"/evidence/rounds/{audited.rounds['Day']}/seqohs").text


@pytest.mark.parametrize("paper", ["report", "report?format=pdf", "seqohs", "seqohs?format=pdf", "mohawk"])
def test_a_figure_in_a_paper_is_that_of_the_results_as_json(audited: Audited, paper: str) -> None:
    """Read back from the finished file, and told in words here, apart from the product's own functions."""
    round_id, read, measures = audited.rounds["After"], 0, audited.service.instance.measures
    reply = audited.service.visitor("audit_lead").ask(f"/evidence/rounds/{round_id}/{paper}")
    text = pdf_text(reply.data) if "pdf" in paper else page_text(reply.text)
    for measure in measures.measures:
        said = audited.json(round_id)["measures"][measure.id]
        n = said["met"] + said["not_met"]
        if n < 10:
            continue
        if paper == "mohawk":
            wanted = f"{measure.title} {measure.id} {measures.version} {said['met']} {n} "
        else:
            low, high = said["interval"]
            wanted = f"{measure.title} {said['met']} of {n} {whole(said['rate'])} {whole(low)} to {whole(high)} "
        assert wanted in text, wanted
        read += 1
    assert read > 12


def whole(share: float) -> str:
    """A share as a whole percentage, by decimal arithmetic; what is rounded to all or none and is not says so."""
    said = (Decimal(repr(share)) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    if 0 < share < 1 and said in (0, 100):
        return "over 99%" if said else "under 1%"
    return f"{said}%"


def page_text(text: str) -> str:
    return " ".join(BeautifulSoup(text, "html.parser").stripped_strings)


def pdf_text(content: bytes) -> str:
    return " ".join(sheets_of(content)).replace("- ", "-")  # a word broken at its hyphen


def sheets_of(content: bytes) -> list[str]:
    """What each page of a PDF says; a hyphen at the end of a line is given as no character at all."""
    with closing(pypdfium2.PdfDocument(content)) as document:
        said = (sheet.get_textpage().get_text_range().replace("\ufffe", "-") for sheet in document)
        return [" ".join(text.split()) for text in said]


def test_the_indicators_are_those_that_leave(audited: Audited) -> None:
    lead = audited.service.visitor("audit_lead")
    for round_id in audited.rounds.values():
        rows = list(csv.DictReader(io.StringIO(lead.ask(f"/evidence/rounds/{round_id}/indicators.csv").text)))
        wanted = leaving.of_results(audited.counted(round_id))
        assert {(r["indicator"], r["numerator"], r["denominator"]) for r in rows} == {
            (id_, str(r.met), str(r.applicable)) for id_, r in wanted.items()
        }
        assert {(r["site"], r["excluded"], r["missing"]) for r in rows} <= {("DEMO", "", "")}


def hold_live(service: Service, ref: str, whose: str, whole: bool) -> dict[str, str]:
    measures, dataset = service.instance.measures, service.instance.library.current.dataset
    case = (
        measures.cases["everything_recorded"]
        if whole
        else {
            n: measures.cases["everything_recorded"][n]
            for n in ("clinician_role", "first_consultation", "episode_gap", "back_pain_reason")
        }
    )
    known = {
        "case_ref": ref,
        "provider": "DEMO",
        "site": "A",
        "capture_mode": "live",
        "consultation_date": "2026-03-01",
    }
    return dict.fromkeys(dataset.by_name, "") | case | known | {"clinician_ref": whose}


def own_page(service: Service, role: str) -> str:
    response = service.visitor(role).ask("/evidence/own")
    assert response.status_code == 200, pages.text(pages.parse(response.text))
    return response.text


@pytest.mark.parametrize("n", [9, 10, 14])
def test_own_figures_are_of_own_cases_only_and_from_ten(service: Service, n: int) -> None:
    from consult.audit import cases

    draw, nurse, doctor = random.Random(SEED * n), service.who["nurse"].actor, service.who["doctor"].actor
    whole = [draw.random() < 0.5 for _ in range(n)]
    with service.instance.db.write() as conn:
        for at, good in enumerate(whole):
            cases.put(conn, hold_live(service, f"mine-{at}", nurse, good), step=0, consultation=f"c{at}")
        for at in range(20):
            cases.put(
                conn,
                hold_live(service, f"theirs-{at}", doctor, True),
                step=0,
                consultation=f"d{at}",
            )
        wanted = Wanted("Live", "DEMO", "live", "2026-01-01", "2026-12-31")
        rounds.set_round(conn, wanted, ("lead", "audit_lead"), service.instance.store.at(), "key-of-a-live-round-12")
    rows = rows_of(own_page(service, "nurse"), "Own cases first, then what they stand beside")
    cells = rows[service.instance.measures.by_id["activity_impact_asked"].title]
    if n < 10:
        assert cells[:3] == [f"n = {n}", "too few to compare", ""]
    else:
        assert cells[:2] == [str(n), f"{sum(whole)} of {n}"]
    assert cells[3] == "not given"  # two clinicians only: the service would tell the colleague's figures


def test_a_clinician_finds_own_figures_of_each_live_round_that_has_begun(service: Service) -> None:
    today, nurse = service.instance.today(), service.visitor("nurse")
    assert "the audit lead makes a live round first" in nurse.ask("/evidence").text
    periods = {"Earlier": -200, "Now": -20, "Later": 5, "Notes": -300}
    with service.instance.db.write() as conn:
        for name, begins in periods.items():
            first, last = (today + timedelta(days=days) for days in (begins, begins + 50))
            capture = "retrospective" if name == "Notes" else "live"
            wanted = Wanted(name, "DEMO", capture, first.isoformat(), last.isoformat())
            rounds.set_round(conn, wanted, ("lead", "audit_lead"), service.instance.store.at(), f"key-of-round-{name}")
    page = BeautifulSoup(nurse.ask("/evidence").text, "html.parser")
    found = {link.text: str(link["href"]) for link in page.find_all("a", string=re.compile("^Own figures of"))}
    assert list(found) == ["Own figures of Now", "Own figures of Earlier"]
    for words, address in found.items():
        assert f"{words.removeprefix('Own figures of ')}: " in nurse.ask(address).text
    assert "Own figures of" not in service.visitor("audit_lead").ask("/evidence").text


def test_the_boxes_are_empty_and_each_profession_has_its_form(service: Service) -> None:
    with service.instance.db.write() as conn:
        wanted = Wanted("Live", "DEMO", "live", "2026-01-01", "2026-12-31")
        rounds.set_round(conn, wanted, ("lead", "audit_lead"), service.instance.store.at(), "key-of-a-live-round-12")
    bodies = {
        "doctor": "General Medical Council",
        "nurse": "Nursing and Midwifery",
        "physiotherapist": "Health and Care Professions",
    }
    known = moment.mapping(service.instance)
    for role, body in bodies.items():
        text, form = own_page(service, role), known.form_of(role)
        assert body in text
        boxes = [box.get_text(strip=True) for box in BeautifulSoup(text, "html.parser").select("div.box")]
        assert form is not None
        assert boxes == list(form.boxes)


def test_without_a_live_round_it_says_what_to_do(service: Service) -> None:
    assert service.visitor("nurse").ask("/evidence/own").status_code == 409


@pytest.mark.parametrize("path", ["seqohs", "mohawk", "report"])
def test_a_paper_is_a_pdf_too(audited: Audited, path: str) -> None:
    response = audited.service.visitor("audit_lead").ask(
        f"/evidence/rounds/{audited.rounds['After']}/{path}?format=pdf"
    )
    now, stamp = audited.counted(audited.rounds["After"]), re.compile(r"Step\s\d+\sof\sthe\srecord")
    texts = sheets_of(response.data)
    assert all(stamp.search(text) and f"n = {now.eligible} cases" in text for text in texts)
    result = now.measures["barriers_asked"]
    assert re.search(rf"\b{result.met}\b.*\b{result.applicable}\b", " ".join(texts))


def test_a_mapping_of_the_installation_is_used(service: Service) -> None:
    instance = service.instance
    text = (instance.content.folder / "evidence.toml").read_text("utf-8")
    (instance.folder / "evidence.toml").write_text(text.replace("SEQOHS standards, 2023", "Standards of ours"), "utf-8")
    assert moment.mapping(instance).standards.name == "Standards of ours"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('measure = "red_flags_screened"', 'measure = "x"', "names measure x, which is not known"),
        ('measure = "red_flags_screened"', "", "needs a measure exactly where its kind is measure"),
        ('kind = "title"', 'kind = "title"\nmeasure = "red_flags_screened"', "needs a measure exactly where"),
        ('id = "protocol"', 'id = "x"', "protocol"),
        ('id = "audit_report"', 'id = "protocol"', "parts: an id stands twice"),
        ('id = "gmc"', 'id = "nmc"', "forms: an id stands twice"),
        ('compare_by = ["off_sick_today"]', 'compare_by = ["x"]', "compare_by names x, which is not among"),
        ('context = ["clinician_role"', 'context = ["x"', "context names x, which is no field with options"),
        ('context = ["clinician_role"', 'context = ["clinician_ref"', "context names clinician_ref, which is no field"),
    ],
)
def test_a_wrong_mapping_is_refused(service: Service, old: str, new: str, says: str) -> None:
    instance = service.instance
    text = (instance.content.folder / "evidence.toml").read_text("utf-8")
    assert old in text
    with pytest.raises(ContentError, match=says):
        parse_mapping(text.replace(old, new, 1), instance.measures, instance.library.current.dataset)


def test_a_paper_tells_the_rule_of_each_site_and_what_was_taken_out(audited: Audited) -> None:
    """One rule for all would be untrue where sites have their own, and "nobody picks" where some were taken out."""
    instance = audited.service.instance
    first, second, third, *_ = SITES
    sites = {first: SiteRule("first", 20), second: SiteRule("all")}
    with instance.db.write() as conn:
        wanted = Wanted("Own rules", "DEMO", "retrospective", "2026-01-01", "2026-12-31", "first", 30, sites)
        id_ = rounds.set_round(conn, wanted, ("lead", "audit_lead"), instance.store.at(), "key-of-own-rules-12")
    lead = audited.service.visitor("audit_lead")

    def said(path: str) -> str:
        return " ".join(
            BeautifulSoup(lead.ask(f"/evidence/rounds/{id_}/{path}").text, "html.parser").get_text(" ").split()
        )

    usual = (
        "taken by rule: the first 30 consecutive eligible cases of each site, but for 2 sites with rules of their own:"
    )
    leaving_words = f"{usual} all eligible cases, the first 20 consecutive eligible cases. Nobody picks cases"
    assert leaving_words in said("seqohs")
    assert leaving_words in said("slides")
    named = f"{SITES[second]} all eligible cases, {SITES[first]} the first 20 consecutive eligible cases. Nobody picks"
    assert f"{usual} {named}" in said("report")
    assert "taken by rule: the first 20 consecutive eligible cases. Nobody" in said(f"report?site={first}")
    assert "taken by rule: all eligible cases. Nobody" in said(f"report?site={second}")
    assert "taken by rule: the first 30 consecutive eligible cases. Nobody" in said(f"report?site={third}")
    out = "Taken out of the sample, each with a reason and the name of who did it, which the record keeps:"
    assert out not in said("seqohs") + said("report") + said("slides")
    at = moment.Moment(instance, instance.db.read(), rounds.rounds(instance.db.read())[id_])
    case = next(case for case in at.sample.taken if case.site == first)
    with instance.db.write() as conn:
        why, who = ("other", "Notes lost"), ("lead", "audit_lead")
        rounds.exclude(conn, id_, case.key, True, why, who, instance.store.at(), "key-of-taking-out-12")
    assert f"{out} 1 to 4." in said("seqohs")
    assert f"{out} 1 to 4" in said("slides")
    assert f"{out} 1." in said("report")
    assert f"{out} 1." in said(f"report?site={first}")
    assert out not in said(f"report?site={third}")
    with instance.db.write() as conn:
        rounds.withdraw(conn, id_, "Only tried", ("lead", "audit_lead"), instance.store.at(), "key-of-withdrawing-1")


@pytest.mark.parametrize("paper", ["seqohs", "mohawk", "report", "report?format=pdf", "slides", "slides.pptx"])
def test_a_slip_in_the_mapping_of_the_installation_is_told_with_its_line_and_nothing_is_made(
    service: Service, paper: str
) -> None:
    instance = service.instance
    text = (instance.content.folder / "evidence.toml").read_text("utf-8")
    (instance.folder / "evidence.toml").write_text(text + 'title = "unclosed\n', "utf-8")
    with instance.db.write() as conn:
        wanted = Wanted("Live", "DEMO", "live", "2026-01-01", "2026-12-31")
        id_ = rounds.set_round(conn, wanted, ("lead", "audit_lead"), instance.store.at(), "key-of-a-live-round-12")
    response = service.visitor("audit_lead").ask(f"/evidence/rounds/{id_}/{paper}")
    assert response.status_code == 409
    line = text.count("\n") + 1
    assert f"evidence.toml, line {line}: This is not valid TOML: a text has no closing quotation mark" in response.text
    assert service.visitor("nurse").ask("/evidence/own").status_code == 409


def test_a_page_says_what_is_wrong_with_a_mapping_that_was_refused(audited: Audited) -> None:
    """It was a page that says that something unforeseen went wrong."""
    instance, lead = audited.service.instance, audited.service.visitor("audit_lead")
    text = (instance.content.folder / "evidence.toml").read_text("utf-8")
    file = instance.folder / "evidence.toml"
    file.write_text(text.replace('["off_sick_today"]', '["no_such_field"]'), "utf-8")
    try:
        reply = lead.ask(f"/evidence/rounds/{audited.rounds['After']}/seqohs")
    finally:
        file.unlink()
    assert reply.status_code == 409
    assert "names no_such_field" in reply.text
    assert "consult check" in reply.text


def test_a_pack_is_made_part_by_part(audited: Audited) -> None:
    with audited.service.instance.db.snapshot() as conn:
        made = seqohs.seqohs(audited.service.instance, conn, rounds.rounds(conn)[audited.rounds["After"]])
        pieces = list(papers.pieces(made.paper, made.parts))
    assert len(pieces) > len(made.paper.titles)


def test_training_and_use_say_what_is_known_by_role_and_name_nobody(service: Service) -> None:
    admin, conn = service.visitor("administrator"), service.instance.db.read()
    today = service.instance.today()
    nurse = service.who["nurse"].actor
    for day in ("", "yesterday", "20260203", "2026-W01-1", str(today.replace(year=today.year + 1))):
        assert admin.post(f"/settings/people/{nurse}/trained", {"trained": day}).status_code == 422
    for day in ("2026-02-03", "2025-11-20"):
        assert admin.post(f"/settings/people/{nurse}/trained", {"trained": day}).status_code == 302
    assert "3 February 2026" in admin.ask("/settings/people").text
    service.signed()
    with service.instance.db.write() as writing:
        wanted = Wanted("Now", "DEMO", "live", f"{today.year}-01-01", f"{today.year}-12-31")
        id_ = rounds.set_round(
            writing, wanted, ("x", "audit_lead"), service.instance.store.at(), "key-of-now-123456789"
        )
    text = service.visitor("audit_lead").ask(f"/evidence/rounds/{id_}/seqohs").text
    rows = rows_of(text, "Who uses the tool, by role")
    month = f"{today:%B %Y}"
    assert rows["Nurse"] == ["1 to 4", "1 to 4", "withheld", month, month, "1 to 4", "February 2026"]
    assert rows["Administrator"] == ["1 to 4", "0", "0", "none", "none", "0", "none"]
    held = rows_of(text, "Cases of the period by way of capture, never pooled")
    assert held["Live consultations"] == ["withheld"], "the same consultations, so that it would tell the one above"
    assert not [who for who in PEOPLE.values() if who in text]
    assert len(list(ledger.steps(conn, kind="person_trained"))) == 2
