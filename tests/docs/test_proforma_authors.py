"""The guide for authors: every key is explained, and its worked examples are carried out as they stand."""

from __future__ import annotations

import importlib
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lxml.html
import pytest
from flask.testing import FlaskClient
from lxml.html import HtmlElement
from msgspec.structs import fields

from consult import checking
from consult.accounts.people import WORK, NewPerson, add_person
from consult.audit import eligibility, measures, measures_file, organisation, published
from consult.audit import results as audit
from consult.documents import evidence, needs
from consult.documents.leaflet import FrontMatter
from consult.exchange import entryform
from consult.instance import Instance, open_instance
from consult.proforma import dataset, model, reports, rules
from consult.proforma.load import load_definition
from consult.proforma.strict import Strict
from consult.record.ledger import steps
from consult.record.settings import ROUTE_LABELS, Site, change_setting, put_site
from consult.web.app import create_app
from consult.web.forms import BETWEEN, deciding

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "proforma-authors.md").read_text("utf-8")
LEAFLETS = (ROOT / "docs" / "leaflets.md").read_text("utf-8")
CONTENT = ROOT / "proformas" / "back-pain"
PASSWORD = "a long made-up password"
LINE = re.compile(r", line (\d+)(?=: )")

KEYS = {
    "a rule": rules.Rule,
    "at the top": model.Proforma,
    "a section": model.Section,
    "a block": model.Block,
    "a question": model.Question,
    "an option": model.Option,
    "a panel": model.Panel,
    "a count": model.Count,
    "a contradiction": model.Contradiction,
    "what is done": model.Done,
    "a field": dataset.Field,
    "a set of measures": measures.MeasureSet,
    "a measure": measures.Measure,
    "a breakdown": measures.Breakdown,
    "an example": measures.Example,
    "a line beside a result": measures.Beside,
    "a reason of eligibility": eligibility.Reason,
    "what is set aside": measures.SetAside,
    "the benchmarks": published.Published,
    "a round": published.Round,
    "a figure": published.Figure,
    "the reasons": model.Reasons,
    "the reports": reports.Reports,
    "a kind of report": reports.ReportType,
    "a part of a report": reports.Part,
    "a written line": reports.Written,
    "what is recorded": reports.Recorded,
    "the words for entry": entryform.EntryWords,
    "a group of fields": entryform.SectionWords,
    "a field that is entered": entryform.FieldWords,
    "the yearly questions": organisation.Organisation,
    "a yearly question": organisation.OrganisationQuestion,
    "the evidence": evidence.Mapping,
    "the standards": evidence.Standards,
    "a part of the pack": evidence.MappedPart,
    "the audit report": evidence.ReportWords,
    "a form": evidence.Form,
    "a slide": evidence.MappedSlide,
}


def block(info: str) -> str:
    """The fenced block of the guide with this info string."""
    found = re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"the guide needs one block ```{info}"
    return found[0]


def table_keys(text: str, heading: str) -> list[str]:
    """The keys in the first column of the table that follows a heading."""
    part = re.search(rf"^##+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert part, f"the heading {heading} is missing"
    cells = re.findall(r"^\| (`.*?) \| \S", part[1], re.MULTILINE)
    return [key for cell in cells for key in re.findall(r"`([^`]+)`", cell)]


def keys_of(found: type[Strict]) -> set[str]:
    return {field.encode_name for field in fields(found)}


@pytest.mark.parametrize("heading", KEYS)
def test_every_key_is_explained_once(heading: str) -> None:
    explained = table_keys(GUIDE, f"Keys of {heading}" if heading != "at the top" else "Keys at the top")
    assert sorted(explained) == sorted(keys_of(KEYS[heading]))


def test_no_file_of_content_is_left_out_of_the_guide() -> None:
    """Whatever is read from a content file is one of the classes whose keys the guide explains."""
    elsewhere = {dataset.Dataset, FrontMatter, needs.Needs, needs.Size, eligibility.EligibilityExample}
    kinds = {one for one in Strict.__subclasses__() if one.__module__.startswith("consult.")}
    assert kinds - elsewhere == set(KEYS.values())
    assert {file.name for file in CONTENT.iterdir()} == {*re.findall(r"^\| `(\w+\.toml)` \|", GUIDE, re.MULTILINE)}


def test_every_key_of_the_needs_is_explained_once() -> None:
    assert sorted(table_keys(LEAFLETS, "Keys of `needs.toml`")) == sorted(keys_of(needs.Needs))
    assert all(f"`{key}`" in LEAFLETS for key in keys_of(needs.Size))


def test_every_key_of_a_leaflet_is_explained_once() -> None:
    assert sorted(table_keys(LEAFLETS, "The top of the file")) == sorted(keys_of(FrontMatter))


def test_every_level_route_kind_and_fact_is_named() -> None:
    definition = load_definition(CONTENT)
    kinds = {q.kind for q in definition.proforma.questions}
    facts = {d.fact.partition(":")[0] for d in definition.proforma.done}
    for word in [*model.LEVELS, *model.ROUTES, *kinds]:
        assert f'`"{word}"`' in GUIDE
    assert [f for f in facts if f not in GUIDE] == []


@dataclass
class Own:
    """An instance folder with its own copy of the proforma."""

    folder: Path

    def add(self, file: str, text: str) -> None:
        """Put a text at the end of one file."""
        with (self.folder / "proformas" / "back-pain" / file).open("a", encoding="utf-8") as stream:
            stream.write(f"\n{text}")

    def changed(self) -> list[str]:
        """The files that differ from those that come with the program."""
        own = self.folder / "proformas" / "back-pain"
        return [p.name for p in own.iterdir() if p.read_bytes() != (CONTENT / p.name).read_bytes()]

    def problems(self) -> list[str]:
        """What `consult check` lists."""
        return [str(problem) for problem in checking.check_content(self.folder).problems]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    shutil.copytree(CONTENT, tmp_path / "proformas" / "back-pain")
    return Own(tmp_path)


@pytest.fixture
def instance(own: Own) -> Iterator[Callable[[], Instance]]:
    """The instance of that folder, opened when the test asks for it with `instance()`."""
    opened: list[Instance] = []

    def open_it() -> Instance:
        opened.append(open_instance(own.folder, create=True))
        set_up(opened[-1])
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def set_up(instance: Instance) -> None:
    with instance.db.write() as conn:
        at = instance.store.at()
        change_setting(conn, "provider", "DEMO", "test", at)
        change_setting(conn, "demonstration", True, "test", at)
        change_setting(conn, WORK, "scrypt:1024:8:1", "test", at)
        put_site(conn, Site("NORTH", "North", dict.fromkeys(ROUTE_LABELS, "01632 960 000")), "test", at)
        add_person(conn, NewPerson("Nia Sample", "nurse", "NORTH", PASSWORD, "nia"), "test", at)


def field(page: HtmlElement, name: str) -> str:
    """What the first field of a name holds."""
    found = page.xpath("//*[@name=$name]/@value", name=name)
    assert found, f"{name} is not on the screen"
    return str(found[0])


def said(page: HtmlElement, id_: str = "") -> str:
    """What a page says, or the element of an id on it, which must be there."""
    return str((page.get_element_by_id(id_) if id_ else page).text_content())


class Visit:
    """A clinician at the pages, without JavaScript: reads them, and sends what the forms there would send."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.send("/sign-in", {"username": "nia", "password": PASSWORD})

    def page(self, address: str) -> HtmlElement:
        answer = self.client.get(address)
        assert answer.status_code == 200, address
        return lxml.html.fromstring(answer.text)

    def send(self, address: str, form: dict[str, str], at: str = "") -> HtmlElement:
        """Send a form from the page it stands on; returns the page one comes to."""
        token = field(self.page(at or address), "csrf_token")
        answer = self.client.post(address, data={"csrf_token": token, **form}, follow_redirects=True)
        assert answer.status_code == 200, (address, answer.text)
        self.address = answer.request.path
        return lxml.html.fromstring(answer.text)

    def begin(self) -> HtmlElement:
        self.send("/employees/new", {"name": "Sam Sample", "date_of_birth": "1980-02-03", "go": "register"})
        form = {"employee": self.address.rpartition("/")[2], "attendance": "in_person", "key": "begin"}
        return self.send("/consultations/start", form, at=self.address)

    def answer(self, question: str, value: str) -> HtmlElement:
        seen = field(self.page(self.address), f"seen.{question}")
        form = {f"seen.{question}": seen, f"a.{question}": value, "key": f"{question}-{value}"}
        screen = self.address
        return self.send(f"{screen}/answers", form, at=screen)

    def sign(self) -> HtmlElement:
        screen = self.address
        self.send(f"{screen}/blank-reason", {"reason": "out_of_time", "key": "blank"}, at=screen)
        return self.send(f"{screen}/sign", {"key": "sign"}, at=screen)


def test_the_question_of_the_guide_is_right_and_changes_one_file(own: Own) -> None:
    own.add("proforma.toml", block("toml add-question"))
    assert own.problems() == []
    assert own.changed() == ["proforma.toml"]


def test_the_question_of_the_guide_works_in_the_running_application(own: Own, instance: Callable[[], Instance]) -> None:
    own.add("proforma.toml", block("toml add-question"))
    opened = instance()
    question = opened.library.current.proforma.by_id["heavy_tasks_alone"]
    visit = Visit(create_app(opened).test_client())
    screen = visit.begin()
    consultation = visit.address
    assert screen.get_element_by_id("q-heavy_tasks_alone", None) is None

    screen = visit.answer("anything_in_the_way_of_work", "present")
    assert question.ask in said(screen, "q-heavy_tasks_alone")
    assert question.panels[0].text not in said(screen)

    visit.address = consultation
    screen = visit.answer("heavy_tasks_alone", "present")
    assert question.panels[0].text in said(screen, "panel-heavy_tasks_alone")

    visit.address = consultation
    visit.sign()
    note = visit.client.get(f"{consultation}/note").text
    assert re.search(r"^ *Yes: .*Heavy tasks done alone", note, re.MULTILINE)
    (case,) = opened.db.read().execute("SELECT barriers FROM case_row").fetchall()
    assert case["barriers"] == "physical_demands"


def test_the_measure_of_the_guide_is_right_and_changes_one_file(own: Own) -> None:
    own.add("measures.toml", block("toml add-measure"))
    assert own.problems() == []
    assert own.changed() == ["measures.toml"]


def test_the_measure_of_the_guide_works_in_the_running_application(own: Own, instance: Callable[[], Instance]) -> None:
    own.add("measures.toml", block("toml add-measure"))
    opened = instance()
    visit = Visit(create_app(opened).test_client())
    visit.begin()
    consultation = visit.address
    for question, value in {"back_pain_reason": "main", "visit_and_episode": "first_ever_episode"}.items():
        visit.answer(question, value)
        visit.address = consultation
    visit.answer("work_status", "off_sick")
    visit.address = consultation
    visit.answer("anything_in_the_way_of_work", "absent")
    visit.address = consultation
    visit.sign()

    found = audit.results(
        opened.db.read(), opened.measures, opened.library.current.dataset, audit.Selection(capture="live")
    )
    shape = audit.as_json(found, opened.measures, opened.benchmarks)["measures"]["barriers_asked_off_sick"]
    assert (shape["met"], shape["not_met"], shape["missing"]) == (1, 0, 0)
    assert shape["benchmarks"] == {"2011": None, "2008": None}
    downloaded = json.loads(visit.client.get("/results/results.json?capture=live").text)
    assert downloaded["measures"]["barriers_asked_off_sick"] == shape

    title = opened.measures.by_id["barriers_asked_off_sick"].title
    (row,) = [said(row) for row in visit.page("/results").iter("tr") if title in said(row)]
    assert "1 of 1" in row
    page = "/results/measures/barriers_asked_off_sick"
    assert title in said(visit.page(page))
    assert "“Barriers asked about” is yes" in said(visit.page(f"{page}/cases?outcome=met&capture=live"))


def test_the_examples_of_the_measure_notice_every_change_of_it(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test of the measures asks of each that comes with the program holds for this one too."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "audit"))
    mutants = importlib.import_module("mutants")
    own.add("measures.toml", block("toml add-measure"))
    folder = own.folder / "proformas" / "back-pain"
    fields = load_definition(folder).dataset
    found = measures_file.load_measures(folder, fields)
    measure = found.by_id["barriers_asked_off_sick"]
    for what, changed in mutants.measure_mutants(measure, found, fields):
        noticed = any(measures_file.failed(found, fields, changed))
        assert noticed or same(measure, changed, found, fields), what


def same(one: measures.Measure, other: measures.Measure, found: measures.MeasureSet, fields: dataset.Dataset) -> bool:
    """Whether two measures give every case the same outcome."""
    leaves = [leaf for measure in (one, other) for rule in measure.rules.values() for leaf in rule.leaves()]
    names = sorted({leaf.field for leaf in leaves if leaf.field})
    for values in itertools.product(*(["", *fields.by_name[name].options] for name in names)):
        look_up = measures.looker(fields, dict(zip(names, values, strict=True)))
        if measures.outcome_of(found, one, look_up) != measures.outcome_of(found, other, look_up):
            return False
    return True


def test_the_contradiction_of_the_guide_is_pointed_out_while_the_decision_stands(
    own: Own, instance: Callable[[], Instance]
) -> None:
    own.add("proforma.toml", block("toml add-contradiction"))
    assert own.problems() == []
    opened = instance()
    (added,) = [one for one in opened.library.current.proforma.contradictions if one.id.startswith("not_serious")]
    visit = Visit(create_app(opened).test_client())
    visit.begin()
    consultation = visit.address
    for question, value in {"saddle_feeling_change": "present", "serious_pathology_suspected": "no"}.items():
        screen = visit.answer(question, value)
        visit.address = consultation
    assert added.text not in said(screen)
    shown = field(screen, f"{deciding('saddle_feeling_change')}{BETWEEN}shown.saddle_feeling_change")
    form = {"question": "saddle_feeling_change", "shown.saddle_feeling_change": shown, "reason": "Numb since today"}
    form |= {"decision": "same_day_emergency", "key": "decide"}
    screen = visit.send(f"{consultation}/decisions", form, at=consultation)
    for question in ("saddle_feeling_change", "serious_pathology_suspected"):
        assert added.text in said(screen, f"panel-{question}")
    visit.address = consultation
    assert added.text not in said(visit.answer("saddle_feeling_change", "absent"))


@pytest.mark.parametrize(
    ("page", "section"),
    [
        ("sign", "[reasons.blank]\n"),
        ("abandon", "[reasons.without_signing]\n"),
        ("in-error", "[reasons.in_error]\n"),
    ],
)
def test_the_pages_offer_the_reasons_of_the_file(
    own: Own, instance: Callable[[], Instance], page: str, section: str
) -> None:
    file = own.folder / "proformas" / "back-pain" / "proforma.toml"
    before, after = file.read_text("utf-8").split(section)
    file.write_text(f'{before}{section}fire_drill = "A fire drill"\n{after}', "utf-8")
    assert own.problems() == []
    opened = instance()
    visit = Visit(create_app(opened).test_client())
    visit.begin()
    consultation = visit.address
    shown = visit.page(f"{consultation}/{page}")
    offered = shown.xpath("//input[@name='reason']/@value | //select[@name='reason']/option/@value")
    assert next(filter(None, offered)) == "fire_drill"
    assert len(offered) > 3
    address = f"{consultation}/{'blank-reason' if page == 'sign' else page}"
    visit.send(address, {"reason": "fire_drill", "key": "of-the-own-list"}, at=f"{consultation}/{page}")
    given = [(step.content or {}).get("reason") for step in steps(opened.db.read(), consultation=consultation[-36:])]
    assert given[-1] == "fire_drill"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("malformed-question", "proforma.toml"),
        ("misspelt-key", "proforma.toml"),
        ("hidden-emergency", "proforma.toml"),
        ("wrong-example", "measures.toml"),
    ],
)
def test_the_wrong_examples_of_the_guide_give_the_sentences_it_prints(own: Own, name: str, file: str) -> None:
    length = (CONTENT / file).read_text("utf-8").count("\n")
    own.add(file, block(f"toml {name}"))
    printed, said = block(f"text {name}").splitlines(), own.problems()
    assert [LINE.sub("", one) for one in said] == [LINE.sub("", one) for one in printed]
    assert all(LINE.search(one) for one in printed)  # whose numbers are of the file as it was then
    assert all(int(LINE.search(one)[1]) > length for one in said)


def test_a_wrong_file_leaves_the_version_in_use(own: Own, instance: Callable[[], Instance]) -> None:
    before = instance().library.current.digest
    own.add("proforma.toml", block("toml malformed-question"))
    again = open_instance(own.folder)
    try:
        assert again.library.current.digest == before
        assert again.problems
    finally:
        again.close()
