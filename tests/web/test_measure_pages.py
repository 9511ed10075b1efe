"""Overview, measure and cases over a larger constructed set: the same numbers everywhere, each opening to its cases."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import constructed
import pages
import pytest
from visiting import Service, Visitor, opened

from consult.audit.cases import iterate
from consult.audit.comparison import percent
from consult.audit.items import items
from consult.audit.measures import why_excluded
from consult.audit.targets import set_target
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.proforma.answer import Answer

GROUPS = ("met", "not_met", "not_applicable", "missing", "excluded")
SVG = "{http://www.w3.org/2000/svg}"
MODES = ("retrospective", "paper")
PEOPLE = re.compile(r"clinician_ref|nora|dan doctor|pia", re.IGNORECASE)


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("pages") / "instance")))
    constructed.fill(running.instance)
    yield running
    running.instance.close()


@pytest.fixture(scope="module")
def lead(shared: Service) -> Visitor:
    return shared.visitor("audit_lead")


def as_json(visitor: Visitor, query: str) -> dict[str, Any]:
    return dict(json.loads(visitor.ask(f"/results/results.json?{query}").text))


def table_after(page: Element, id_: str) -> list[list[str]]:
    """The cells of the first table of the section that a heading names."""
    section = next(s for s in page.iter() if s.get("aria-labelledby") == id_)
    table = next(section.iter("table"))
    return [[pages.text(cell) for cell in row] for row in table.iter("tr")][1:]


@pytest.mark.parametrize("mode", MODES)
def test_the_five_groups_of_every_measure_are_those_of_the_json(shared: Service, lead: Visitor, mode: str) -> None:
    found = as_json(lead, f"capture={mode}")
    everybody = found["eligible"] + sum(found["excluded"].values())
    for measure, result in found["measures"].items():
        page = lead.get(f"/results/measures/{measure}?capture={mode}")
        rows = table_after(page, f"explain-{mode}")
        counts = [int(cells[1]) for cells in rows]
        assert counts[:4] == [result[outcome] for outcome in GROUPS[:4]]
        assert counts[4] == sum(found["excluded"].values())
        assert counts[5] == sum(counts[:5]) == everybody
        assert f"{found['eligible']} eligible case" in pages.text(page)
        first = table_after(page, f"{mode}-benchmark")[0]
        assert first[1] == f"{result['met']} of {result['met'] + result['not_met']}"


def test_a_long_list_is_paged_and_every_case_is_on_one_page(shared: Service, lead: Visitor) -> None:
    found = as_json(lead, "capture=retrospective")["measures"]["barriers_asked"]
    for outcome in ("met", "not_met"):
        path = f"/results/measures/barriers_asked/cases?capture=retrospective&outcome={outcome}"
        seen: list[str] = []
        while path:
            page = lead.get(path)
            assert pages.text(page.find(".//h1")).endswith(f": {found[outcome]} cases")  # type: ignore[arg-type]
            table = page.find(".//table[@class='plain cases']")
            assert table is not None
            links = [a.get("href", "") for a in table.iter("a")]
            assert 0 < len(links) <= 50
            seen += [link.split("?")[0] for link in links]
            path = next((a.get("href", "") for a in page.iter("a") if a.get("rel") == "next"), "")
        assert len(seen) == len(set(seen)) == found[outcome]


@pytest.mark.parametrize("page", ["0", "-3", "99999", "x", ""])
def test_a_page_that_is_not_there_shows_one_that_is(lead: Visitor, page: str) -> None:
    found = lead.get(f"/results/measures/barriers_asked/cases?capture=paper&outcome=met&page={page}")
    assert found.findall(".//table[@class='plain cases']/tbody/tr")


def test_each_case_says_the_rule_and_the_answers_that_decided(shared: Service, lead: Visitor) -> None:
    measures, dataset = shared.instance.measures, shared.instance.library.current.dataset
    page = lead.get("/results/measures/red_flags_complete/cases?capture=paper&outcome=not_met")
    rows = page.findall(".//table[@class='plain cases']/tbody/tr")
    assert len(rows) > 1
    text = pages.text(page)
    assert text.count("Not met: this does not hold: “Cauda equina”") == 1
    assert "The rule that decided" not in text
    for row in rows:
        read = pages.text(list(row)[4])
        assert all(item.label in read for item in items(measures.by_id["red_flags_complete"], dataset))
    assert not any(field.name in pages.text(row) for row in rows for field in dataset.fields if "_" in field.name)


def test_where_rules_differ_each_case_has_its_own(lead: Visitor) -> None:
    page = lead.get("/results/measures/red_flags_complete/cases?capture=paper&outcome=excluded")
    rows = page.findall(".//table[@class='plain cases']/tbody/tr")
    said = {pages.text(list(row)[4]) for row in rows}
    assert len(said) > 1
    assert "The rule that decided" in pages.text(page)


@pytest.mark.parametrize(
    ("measure", "outcome"),
    [("barriers_asked", "met"), ("red_flags_complete", "not_met"), ("red_flags_complete", "excluded")],
)
def test_an_address_of_a_case_without_a_group_leads_back_to_the_group_it_is_in(
    lead: Visitor, measure: str, outcome: str
) -> None:
    page = lead.get(f"/results/measures/{measure}/cases?capture=paper&outcome={outcome}")
    case = next(a.get("href", "") for a in page.iter("a") if "/results/cases/" in a.get("href", ""))
    found = lead.get(f"{case.split('?')[0]}?measure={measure}")
    back = next(a.get("href", "") for a in found.iter("a") if "/cases?" in a.get("href", ""))
    assert f"outcome={outcome}" in back.split("?")[1].split("&")


def test_all_ways_lead_down_to_a_case_and_back(lead: Visitor) -> None:
    overview = lead.get("/results?capture=retrospective&from=2025-06-01")
    measure = next(a.get("href", "") for a in overview.iter("a") if "/measures/" in a.get("href", ""))
    assert "from=2025-06-01" in measure
    cases = next(a.get("href", "") for a in lead.get(measure).iter("a") if "outcome=met" in a.get("href", ""))
    page = lead.get(cases)
    assert "from=2025-06-01" in cases
    case = next(a.get("href", "") for a in page.iter("a") if "/results/cases/" in a.get("href", ""))
    crumbs = lead.get(case).find(".//nav[@class='crumbs noprint']")
    assert crumbs is not None
    assert "from=2025-06-01" in case
    ways = [a.get("href", "") for a in crumbs.iter("a")]
    assert [("/cases?" in way, "/measures/" in way) for way in ways] == [(False, False), (False, True), (True, True)]
    for way in ways:
        assert "from=2025-06-01" in way
        lead.get(way)


def test_only_a_clinician_is_led_on_to_the_consultation(service: Service) -> None:
    signed = service.signed(back_pain_reason=Answer("answered", "main"))
    path = f"/results/cases/DEMO/live/{signed}"
    hrefs = {
        role: [a.get("href") for a in service.visitor(role).get(path).iter("a")] for role in ("nurse", "audit_lead")
    }
    assert f"/consultations/{signed}" in hrefs["nurse"]
    assert f"/consultations/{signed}" not in hrefs["audit_lead"]


def test_the_overview_says_dates_ends_and_caveats(shared: Service, lead: Visitor) -> None:
    page = lead.get("/results")
    for mode in MODES:
        section = next(s for s in page.iter("section") if s.get("aria-labelledby") == f"mode-{mode}")
        said = pages.text(section)
        assert re.search(r"held from \d+ \w+ 202\d to \d+ \w+ 202\d", said)
        lists = list(section.iter("ol"))
        assert [len(list(one.iter("li"))) for one in lists] == [3, 3]
        names = [pages.text(item).split(":")[0] for one in lists for item in one.iter("li")]
        assert len(set(names)) >= 5
        verdict = re.search(r"unusual|far outside|within chance", said)
        assert bool(verdict) == (mode == "retrospective")
    text = pages.text(page)
    assert "2011, from case notes" in text
    assert f"Measures version {shared.instance.measures.version}" in text
    assert "Constructed cases, not the national data" in text


def test_the_share_of_no_to_the_rest_stands_beside_red_flags_only(service: Service) -> None:
    consultation = service.begin()
    service.visitor("nurse").rest(consultation, "rest_of_red_flags", "k")
    store, who = service.instance.store, service.who["nurse"]
    words = {"back_pain_reason": "main", "visit_and_episode": "first_ever_episode"}
    for question, value in words.items():
        chosen = store.library.current.proforma.by_id[question]
        store.save(consultation, chosen, Answer("answered", value), 0, f"k:{question}", "single", who)
    grouped = sum(last[-1].via == "group" for last in service.consultation(consultation).history.values())
    assert grouped > 3
    blank = [q for q in store.library.current.proforma.questions if q.asked_first]
    reason = {"reason": "out_of_time", "text": "", "questions": [q.id for q in blank]}
    store.note(consultation, "blank_emergencies_explained", reason, "k:blank", who)
    assert service.visitor("nurse").post(f"/consultations/{consultation}/sign").status_code == 302
    page = service.visitor("audit_lead").get("/results")
    said = f"Of {grouped} answers of No {grouped} (100%) came from “No to the rest”."
    rows = [pages.text(row) for row in page.iter("tr") if said in pages.text(row)]
    assert [("red flags" in r or "red-flag" in r) for r in rows] == [True] * len(rows)
    assert len(rows) >= 2


def test_a_target_stands_on_overview_and_measure(service: Service) -> None:
    service.signed(back_pain_reason=Answer("answered", "main"))
    with service.instance.db.write() as conn:
        at = service.instance.store.at()
        set_target(conn, "barriers_asked", 0.85, "agreed", (service.who["audit_lead"].actor, "audit_lead"), at, "k")
    lead = service.visitor("audit_lead")
    assert "85%" in pages.text(lead.get("/results"))
    said = table_after(lead.get("/results/measures/barriers_asked"), "live-benchmark")
    assert ["Target of this service", "", "85%", ""] in said
    page = pages.text(lead.get("/results/measures/barriers_asked"))
    assert re.search(r"85%, set \d+ \w+ \d{4} by Lea Lead: agreed", page)
    assert "Lea Lead: agreed" not in pages.text(lead.get("/results/measures/barriers_asked?copy=leaving"))


# ---------------------------------------------------------------- the copy that leaves the provider


def test_a_copy_that_leaves_holds_no_site_no_case_and_no_small_group(shared: Service, lead: Visitor) -> None:
    for measure in shared.instance.measures.measures:
        page = lead.get(f"/results/measures/{measure.id}?capture=retrospective&copy=leaving&site=N")
        said = pages.text(page)
        assert not [name for name in constructed.SITES.values() if name in said]
        assert not [a for a in page.iter("a") if "/cases" in a.get("href", "")]
        for section in page.iter("div"):
            if not (section.get("aria-labelledby") or "").startswith("retrospective-by-"):
                continue
            for row in section.iter("tr"):
                counts = re.fullmatch(r"(\d+) of (\d+)", pages.text(list(row)[1]))
                if counts:
                    met, n = int(counts[1]), int(counts[2])
                    assert not {met, n - met} & {1, 2, 3, 4}
    text = pages.text(lead.get("/results?copy=leaving&site=N"))
    assert "Copy that may leave the provider" in text
    whole = as_json(lead, "capture=retrospective")
    assert f"{whole['eligible']} eligible cases" in text


def test_a_copy_that_leaves_withholds_what_has_under_ten_cases(service: Service) -> None:
    service.signed(
        back_pain_reason=Answer("answered", "main"), visit_and_episode=Answer("answered", "first_ever_episode")
    )
    lead = service.visitor("audit_lead")
    page = lead.get("/results?copy=leaving")
    rows = list(page.findall(".//tbody/tr"))
    assert rows
    assert all("withheld" in pages.text(row) for row in rows)
    assert "Withheld: fewer than 10 cases" in pages.text(lead.get("/results/measures/barriers_asked?copy=leaving"))


# ---------------------------------------------------------------- pictures and their tables


def test_every_chart_is_named_described_and_stands_with_its_table(shared: Service, lead: Visitor) -> None:
    for measure in shared.instance.measures.measures:
        page = lead.get(f"/results/measures/{measure.id}?capture=retrospective")
        figures = [s for s in page.iter("div") if s.get("class") == "figure"]
        assert len(figures) >= 6
        drawn = 0
        for section in figures:
            finding = section.find("./p")
            assert finding is not None
            assert pages.text(finding)
            charts = [svg for svg in section.iter(f"{SVG}svg") if svg.get("role") == "img"]
            drawn += len(charts)
            assert len(charts) in (0, 2)  # the same picture wide and narrow; one of them is shown
            for svg in charts:
                ids = {e.get("id") for e in svg.iter() if e.tag in (f"{SVG}title", f"{SVG}desc")}
                assert set((svg.get("aria-labelledby") or "").split()) == ids
                assert len(ids) == 2
                assert section.find(".//table") is not None
        assert drawn >= 8
        assert not PEOPLE.search(pages.text(page))


def test_sites_stand_by_name_with_limits_and_never_ranked(lead: Visitor) -> None:
    rows = table_after(lead.get("/results/measures/red_flags_complete?capture=retrospective"), "retrospective-sites")
    names = [cells[0].split(". ", 1)[1] for cells in rows]
    assert names == sorted(constructed.SITES.values())
    small = next(cells for cells in rows if "Castle" in cells[0])
    assert small[6] == "fewer than 10: no comparison"


def test_every_published_figure_has_its_source_and_caveat_and_stands_beside_whom_the_cases_are_of(
    shared: Service, lead: Visitor
) -> None:
    benchmarks = shared.instance.benchmarks
    page = lead.get("/results/published?from=2025-06-01")
    rows = [[pages.text(cell) for cell in row] for row in page.iter("tr")]
    for figure in benchmarks.figures:
        wanted = (f"{figure.value_percent:g}%", figure.caveat, benchmarks.source(figure))
        assert any(row[0].startswith(figure.name) and (row[1], *row[3:]) == wanted for row in rows), figure.id
    heads = next(row for row in rows if row[0] == "Published")
    assert heads[3:] == ["Paper, entered later", "Case notes read afterwards"], "one column each, never pooled"
    measures, dataset = shared.instance.measures, shared.instance.library.current.dataset
    eligible = [
        dict(row.fields)
        for row in iterate(shared.instance.db.read(), "consultation_date >= '2025-06-01'")
        if not why_excluded(measures, dataset, row.fields)
    ]
    for figure in benchmarks.context():
        if figure.field:
            of = [row[figure.field] for row in eligible if row["capture_mode"] == "retrospective"]
            k, n, blank = of.count(figure.code), len(of), sum(code in ("", "not_recorded") for code in of)
            said = f"{k} of {n} ({percent(k / n)})" + (f"; not recorded in {blank}" if blank else "")
            label = f"{benchmarks.label(figure.year)}: {figure.value_percent:g}%"
            assert any(row[:2] == [figure.name, label] and row[4] == said for row in rows), figure.id
    links = [a.get("href") for a in lead.get("/results").iter("a")]
    assert any((link or "").startswith("/results/published") for link in links)


def test_what_no_case_has_recorded_is_never_shown_as_none(service: Service) -> None:
    """Neither as 0 of n nor as 0%: it was not asked, or not written down."""
    others = {"off_sick_today": "yes", "time_off_this_episode": ""}, {"time_off_this_episode": "not_recorded"}
    rows = [case_from_notes(service, n, others[n % 2]) for n in range(6)]
    instance, dataset = service.instance, service.instance.library.current.dataset
    how = Import("DEMO", instance.today(), "cli:test", instance.store.at())
    report = import_cases(instance.db, dataset, "".join(export(rows, dataset)), how)
    assert report.added == len(rows), report.bad
    page = service.visitor("audit_lead").get("/results/published")
    said = {row[0]: row[3] for row in ([pages.text(cell) for cell in row] for row in page.iter("tr")) if len(row) == 4}
    assert said["Had taken time off sick because of this back pain"] == "not recorded in any of 6"
    assert said["Off sick at time of OH appointment"] == "3 of 6 (50%); not recorded in 3"


def case_from_notes(service: Service, n: int, fields: dict[str, str]) -> dict[str, str]:
    """An eligible case from notes with these fields of the context."""
    case = dict.fromkeys(service.instance.library.current.dataset.by_name, "")
    case |= {"provider": "DEMO", "site": "A", "capture_mode": "retrospective", "case_ref": f"Q-{n}"}
    case |= {"consultation_date": f"2026-03-0{n + 1}", "clinician_role": "nurse", "back_pain_reason": "main"}
    return case | {"first_consultation": "yes", "episode_gap": "none_ever"} | fields


GUIDE = Path(__file__).parents[2] / "docs" / "audit-leads.md"


def test_a_round_that_the_service_added_stands_on_every_page_of_results(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "instance"))
    example = GUIDE.read_text("utf-8").split("```toml benchmarks-added.toml\n")[1].split("```")[0]
    (folder / "benchmarks-added.toml").write_text(example, "utf-8")
    running = opened(folder)
    constructed.fill(running.instance)
    lead = running.visitor("audit_lead")
    said = pages.text(lead.get("/results?capture=retrospective"))
    assert "2019, from case notes (invented)" in said
    assert "figures that this service added; no test is made against them" in said
    assert "Beside 2011" in said
    page = pages.text(lead.get("/results/measures/barriers_asked?capture=retrospective"))
    wanted = "2019, from case notes (invented): 70%; 2011, from case notes: 63%; 2008, from case notes: not held"
    assert wanted in page
    assert "Invented, to show the form of the file. Source: Invented for the guide: not a publication." in page
    assert "Source: Back pain management audit, round 2 (2012), executive summary" in page
    running.instance.close()


def test_what_would_be_the_figures_of_one_clinician_is_not_shown_by_clinician(service: Service) -> None:
    instance, dataset = service.instance, service.instance.library.current.dataset
    rows = [case_from_notes(service, n, {"clinician_ref": "N-1", "staff_group": "students"}) for n in range(6)]
    how = Import("DEMO", instance.today(), "cli:test", instance.store.at())
    assert import_cases(instance.db, dataset, "".join(export(rows, dataset)), how).added == len(rows)
    page = service.visitor("nurse").get("/results/measures/red_flags_screened?capture=retrospective")
    by = {f.get("aria-labelledby"): pages.text(f) for f in page.iter("div") if f.get("class") == "figure"}
    assert "Not shown." in by["retrospective-by-clinician-role"]
    assert "one or two clinicians" in by["retrospective-by-clinician-role"]
    assert "of 6" not in by["retrospective-by-clinician-role"]
    assert "of 6" in by["retrospective-by-staff-group"]
