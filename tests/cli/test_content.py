"""Content: checked as a whole, approved by name, and what was in use stays in use when its file is refused."""

import json
import re
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from consult.approving import note_served
from consult.instance import open_instance
from consult.lock import server_lock
from consult.proforma.checks import NEEDED
from consult.proving import read_only
from consult.record.kept import every
from consult.record.ledger import head
from consult.record.store import Start, Who, now_utc
from consult.serving import Address, application

ROOT = Path(__file__).parents[2]
BREAK = {
    "an unknown key": lambda text: text.replace("[[questions]]", "[[questions]]\nsurprise = 1", 1),
    "a duplicate id": lambda text: re.sub(r'(\[\[questions\]\]\nid = )"\w+"', r'\1"same"', text, count=2),
    "broken TOML": lambda text: text + "\n[[questions",
    "NUL bytes": lambda text: text + "\0",
    "too large": lambda text: text + "#" * 3_000_000,
}


@pytest.fixture
def shown(real):
    """The real installation whose texts a server has shown."""
    show(real)
    return real


@pytest.fixture
def own(real):
    """The real installation with its own copy of all content, in use."""
    for kind in ("proformas", "leaflets"):
        shutil.copytree(ROOT / kind, real / kind)
    for leaflet in (real / "leaflets").glob("*"):
        renamed = leaflet.with_name(f"own-{leaflet.name}")
        leaflet.rename(renamed)
        for file in renamed.glob("*.md"):
            text = file.read_text("utf-8")
            file.write_text(re.sub(r'id = "[\w-]+"', f'id = "{renamed.name}"', text, count=1), "utf-8")
    show(real)
    return real


def show(folder):
    """Bring what the files hold into use, and write down that it is shown, as a server that starts does."""
    with closing(open_instance(folder)) as instance:
        note_served(instance)


def test_shipped_content_is_right(consult, tmp_path):
    said = consult(tmp_path / "none", "check").stdout
    assert "Right: proforma back-pain" in said
    assert "Right: leaflet" in said


def test_check_tells_what_keeps_consultations_from_beginning(consult, real):
    said = consult(real, "check").stdout
    named = "emergency department with MRI round the clock, cord compression coordinator, mental health crisis line"
    assert f"Open: Site A has no number for: {named}; fill them in on the settings page." in said
    assert "Open: The proforma back-pain is draft" in said


def test_nothing_comes_into_use_by_being_checked_and_a_number_that_was_not_raised_is_said(consult, own):
    file = own / "proformas" / "back-pain" / "proforma.toml"
    leaflet = next((own / "leaflets").glob("*/en.md"))
    for changed, more in ((file, "# One more line\n"), (leaflet, "\nOne more line.\n")):
        changed.write_text(changed.read_text("utf-8") + more, "utf-8")
    with read_only(own / "consult.db") as conn:
        before = list(every(conn))
    said = consult(own, "check").stdout
    assert "Open: The proforma back-pain was changed and still calls itself version" in said
    assert f"Open: The leaflet {leaflet.parent.name}/en was changed and still" in said
    assert "measures back-pain was changed" not in said
    with read_only(own / "consult.db") as conn:
        assert list(every(conn)) == before
    file.write_text(file.read_text("utf-8").replace('version = "', 'version = "9.', 1), "utf-8")
    said = consult(own, "check").stdout
    assert "proforma back-pain was changed" not in said
    (read_here,) = [line for line in said.splitlines() if line.endswith("the one read here")]
    assert read_here.startswith("Right: proforma back-pain 9.")


def test_files_that_nothing_reads_are_named(consult, own):
    said = consult(own, "check").stdout
    assert f"{own / 'proformas' / 'back-pain'} is not read" not in said
    assert all(str(file) not in said for file in (own / "leaflets").glob("*/*"))
    shutil.copytree(own / "proformas" / "back-pain", own / "proformas" / "back-pain - Copy")
    leaflet = next((own / "leaflets").glob("*/en.md"))
    for wrong in (leaflet.with_name("en.md.txt"), own / "leaflets" / "neck.md"):
        wrong.write_bytes(leaflet.read_bytes())
        assert f"Not read: {wrong} is not read" in consult(own, "check").stdout
    assert "back-pain - Copy is not read; call the folder back-pain" in consult(own, "check").stdout


@pytest.mark.parametrize("name", ["proforma.toml.txt", "measures - Copy.toml", "proforma.toml~"])
def test_a_file_beside_those_of_the_proforma_is_named_as_not_read(consult, own, name):
    folder = own / "proformas" / "back-pain"
    assert str(folder) not in consult(own, "check").stdout
    shutil.copy(folder / "proforma.toml", folder / name)
    assert f"Not read: {folder / name} is not read; the files of a proforma are" in consult(own, "check").stdout


def test_the_evidence_file_of_the_installation_is_checked(consult, own):
    file = own / "evidence.toml"
    text = (own / "proformas" / "back-pain" / "evidence.toml").read_text("utf-8")
    file.write_text(text, "utf-8")
    assert "Right: evidence.toml of this installation" in consult(own, "check").stdout
    file.write_text(text.replace('measure = "', 'measure = "un', 1), "utf-8")
    assert re.search(r"^evidence\.toml: slides: .* names measure un", consult(own, "check", code=1).stdout, re.M)
    file.write_text(text + "=\n", "utf-8")
    line = text.count("\n") + 1
    assert f"evidence.toml, line {line}: This is not valid TOML" in consult(own, "check", code=1).stdout


def test_a_translation_is_made_with_the_digest_that_check_shows_and_told_once_it_does_not_print(consult, own):
    english = own / "leaflets" / "own-back-pain-core" / "en.md"
    said = consult(own, "check").stdout
    digest = re.search(r"^Right: leaflet own-back-pain-core en \S+, digest ([0-9a-f]{64})$", said, re.M)[1]
    made_from = f'translation_of = "own-back-pain-core/en"\nsource_digest = "{digest}"\ntranslator = "Nobody yet"\n'
    placeholder = english.with_name("pl.md")
    text = english.read_text("utf-8").replace('language = "en"', f'language = "pl"\n{made_from}', 1)
    placeholder.write_text(text, "utf-8")
    assert "does not print" not in consult(own, "check").stdout
    english.write_text(english.read_text("utf-8") + "\nOne more line.\n", "utf-8")
    does_not = "Open: The leaflet own-back-pain-core pl does not print."
    assert (
        f"{does_not} The leaflet that this translation was made from has changed since" in consult(own, "check").stdout
    )
    placeholder.write_text(text.replace("core/en", "cor/en"), "utf-8")
    assert f"{does_not} The leaflet own-back-pain-cor/en, which this translation says" in consult(own, "check").stdout
    placeholder.write_text(text.replace(made_from, ""), "utf-8")
    told = consult(own, "check", code=1).stdout
    assert "names the English one" in told
    assert "leave the key out" not in told


def test_what_editors_and_word_processors_put_in_is_taken_or_named(consult, own):
    file = own / "proformas" / "back-pain" / "proforma.toml"
    digest = open_and(own, lambda instance: instance.library.current.digest)
    text = file.read_text("utf-8")
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert open_and(own, lambda instance: (instance.library.current.digest, instance.problems)) == (digest, [])
    file.write_text(text + "[[questions]]\nid = \u201cheavy\u201d\n", "utf-8")
    n = text.count("\n") + 2
    said = (
        f"back-pain/proforma.toml, line {n}: This is not valid TOML: curly quotation marks stand here; write straight"
    )
    assert said in consult(own, "check", code=1).stdout
    file.write_text(text, "utf-8")
    leaflet = next((own / "leaflets").glob("*/en.md"))
    leaflet.write_text(leaflet.read_text("utf-8").replace('title = "', "title = \u201c", 1), "utf-8")
    line = leaflet.read_text("utf-8")[: leaflet.read_text("utf-8").index("title = ")].count("\n") + 1
    found = re.search(r"(.*): The front matter is not valid TOML: (.*)", consult(own, "check", code=1).stdout)
    assert found[1] == f"{leaflet.parent.name}/en.md, line {line}: {leaflet.parent.name}"
    assert found[2].startswith("curly quotation marks stand here; write straight ones")


@pytest.mark.parametrize("key", ["ask", "label"])
def test_a_question_without_words_is_refused(consult, own, key):
    file = own / "proformas" / "back-pain" / "proforma.toml"
    above, below = file.read_text("utf-8").split("[[questions]]", 1)
    file.write_text(above + "[[questions]]" + re.sub(rf'\b{key} = "[^"]*"', f'{key} = " "', below, count=1), "utf-8")
    assert "a question needs its words in ask, and each option in label" in consult(own, "check", code=1).stdout


@pytest.mark.parametrize("fault", BREAK)
def test_a_proforma_that_is_refused_leaves_the_version_in_use(consult, own, fault):
    before = open_instance(own)
    digest = before.library.current.digest
    before.close()
    file = own / "proformas" / "back-pain" / "proforma.toml"
    file.write_text(BREAK[fault](file.read_text("utf-8")), "utf-8")
    assert re.search(r"^back-pain/proforma\.toml(, lines? [\d, and]+)?: ", consult(own, "check", code=1).stdout, re.M)
    assert "older version stays in use" in consult(own, "results").stderr
    assert "FAULT  content: Refused" in consult(own, "doctor", code=1).stdout
    instance = open_instance(own)
    assert instance.library.current.digest == digest
    assert instance.problems
    who = Who("p-1", "nurse")
    consultation = instance.store.start(Start("e-1", "A", "ACME", "in_person", "35-44"), who)
    assert instance.store.consultation(consultation).started["definition"] == digest
    instance.close()


@pytest.mark.parametrize("name", sorted(file.name for file in (ROOT / "proformas" / "back-pain").glob("*.toml")))
def test_every_file_beside_a_proforma_is_checked(consult, own, name):
    """A new one is read by whoever needs it, and by the check as well."""
    file = own / "proformas" / "back-pain" / name
    file.write_text(file.read_text("utf-8") + "\n[broken", "utf-8")
    said = consult(own, "check", code=1).stdout
    assert re.search(rf"back-pain/{re.escape(name)}, line \d+: This is not valid TOML", said)


@pytest.mark.parametrize("name", ["measures.toml", "benchmarks.toml"])
def test_refused_measures_and_benchmarks_leave_those_in_use(consult, own, name):
    before = consult(own, "results").stdout
    file = own / "proformas" / "back-pain" / name
    file.write_text(file.read_text("utf-8") + "\n[broken", "utf-8")
    said = consult(own, "results")
    assert said.stdout == before
    assert name in said.stderr
    consult(own, "check", code=1)


GUIDE = (ROOT / "docs" / "audit-leads.md").read_text("utf-8")
ADDED = GUIDE.split("```toml benchmarks-added.toml\n")[1].split("```")[0]


def rename_field(folder, old, new, files):
    for name in files:
        file = folder / "proformas" / "back-pain" / f"{name}.toml"
        file.write_text(re.sub(rf"\b{old}\b", new, file.read_text("utf-8")), "utf-8")


@pytest.mark.parametrize("files", [("dataset", "proforma"), ("dataset", "proforma", "entry")])
def test_a_data_set_that_the_measures_do_not_go_with_leaves_all_of_the_version_in_use(consult, own, files):
    """It was right by itself, but neither the measures in files nor the kept ones go with it, and nothing opened."""
    digest = open_and(own, lambda instance: instance.library.current.digest)
    rename_field(own, "risk_tool", "risk_instrument", files)
    assert "risk_tool" in consult(own, "check", code=1).stdout
    assert "risk_tool" in consult(own, "doctor", code=1).stdout
    for _ in range(2):
        used = open_and(own, lambda instance: (instance.library.current.digest, [str(p) for p in instance.problems]))
        assert used[0] == digest
        assert any("risk_tool" in problem for problem in used[1])
    consult(own, "results")
    rename_field(own, "risk_tool", "risk_instrument", ("measures", "entry", "benchmarks"))
    assert open_and(own, lambda instance: (instance.problems, instance.library.current.digest == digest)) == ([], False)


def test_a_proforma_under_another_id_than_its_folder_is_refused(consult, own):
    file = own / "proformas" / "back-pain" / "proforma.toml"
    text = file.read_text("utf-8")
    digest = open_and(own, lambda instance: instance.library.current.digest)
    file.write_text(text.replace('id = "back-pain"', 'id = "back-ache"', 1), "utf-8")
    said = consult(own, "check", code=1).stdout
    line = text[: text.index('id = "back-pain"')].count("\n") + 1
    assert f"proforma.toml, line {line}: its versions are kept under the name of its folder; write id" in said
    assert open_and(own, lambda instance: (instance.library.current.digest, len(instance.problems))) == (digest, 1)


def test_what_a_retired_question_leaves_behind_is_told(consult, own):
    file = own / "proformas" / "back-pain" / "proforma.toml"
    text = file.read_text("utf-8")
    before = consult(own, "check").stdout
    assert not re.search("is retired|no question fills", before)

    def retired(*ids):
        file.write_text(re.sub(rf'^id = "({"|".join(ids)})"$', r'id = "\1"\nretired = true', text, flags=re.M), "utf-8")
        return consult(own, "check").stdout

    said = retired("anything_in_the_way_of_work")
    left = "has a rule over anything_in_the_way_of_work, which is retired and stays blank; take it out of the rule."
    assert f"Open: The question work_barriers {left}" in said
    assert f"Open: The contradiction flag_in_the_way_and_no_barrier {left}" in said
    assert "Open: The measure barriers_asked counts the field barriers_asked, which no question fills" in said
    said = retired("anything_in_the_way_of_work", "work_barriers")
    assert "The question work_barriers has" not in said
    assert not re.search("is retired|no question fills", retired("clinician_notes"))


@pytest.mark.parametrize("name", NEEDED)
def test_a_field_by_which_cases_are_found_is_not_taken_out(consult, own, name):
    file = own / "proformas" / "back-pain" / "dataset.toml"
    before, after = re.split(rf'\[\[fields\]\]\nname = "{name}"\n', file.read_text("utf-8"))
    file.write_text(before + after[after.index("[[fields]]") :], "utf-8")
    said = consult(own, "check", code=1).stdout
    assert f"back-pain/dataset.toml: {name}: the program fills this field itself, in each case; put it back" in said
    consult(own, "results")


def test_a_round_that_the_service_added_comes_into_use_and_a_refused_change_leaves_it(consult, real):
    file = real / "benchmarks-added.toml"
    before = consult(real, "results").stdout
    file.write_text(ADDED, "utf-8")
    assert "Right: published figures added here: 2, of 2019" in consult(real, "check").stdout
    added = consult(real, "results").stdout
    assert "2019, from case notes (invented)" in added
    shape = json.loads(consult(real, "results", "--format", "json").stdout)
    assert shape["measures"]["barriers_asked"]["benchmarks"] == {"2019": 0.7, "2011": 0.63, "2008": None}
    file.write_text(ADDED.replace("year = 2019", "year = 2011"), "utf-8")
    refused = consult(real, "check", code=1).stdout
    assert "benchmarks-added.toml: round 3: its number or year is held already" in refused
    said = consult(real, "results")
    assert said.stdout == added
    assert "benchmarks-added.toml" in said.stderr
    assert "benchmarks-added back-pain" in str([k.kind + " " + k.id for k in kept_of(real)])
    consult(real, "verify")
    file.unlink()
    assert consult(real, "results").stdout == before


def test_an_added_file_that_was_never_right_leaves_the_shipped_figures(consult, real):
    before = consult(real, "results").stdout
    (real / "benchmarks-added.toml").write_text("[broken", "utf-8")
    said = consult(real, "results")
    assert said.stdout == before
    assert "benchmarks-added.toml, line 1: This is not valid TOML" in said.stderr


def kept_of(folder):
    instance = open_instance(folder)
    found = list(every(instance.db.read()))
    instance.close()
    return found


def test_an_evidence_file_of_the_installation_is_checked_against_the_content_in_use(consult, real):
    """It stands in the instance folder itself, so that the folder of no proforma holds it."""
    text = (ROOT / "proformas" / "back-pain" / "evidence.toml").read_text("utf-8")
    (real / "evidence.toml").write_text(text, "utf-8")
    assert "Right: evidence.toml of this installation" in consult(real, "check").stdout
    (real / "evidence.toml").write_text(text.replace('["off_sick_today"]', '["no_such_field"]'), "utf-8")
    said = consult(real, "check", code=1).stdout
    assert re.search(r"evidence\.toml, line \d+: report: compare_by names no_such_field", said)


def test_a_question_about_sites_is_checked_beside_the_figures_that_the_service_added(consult, own):
    """As it is when it comes into use; the check knew the shipped figures alone."""
    (own / "benchmarks-added.toml").write_text(ADDED, "utf-8")
    file = own / "proformas" / "back-pain" / "organisation.toml"
    text = file.read_text("utf-8")
    added = re.findall(r'^id = "(.+)"', ADDED, re.MULTILINE)[-1]
    file.write_text(text.replace("fast_track_physiotherapy_2011", added), "utf-8")
    assert open_and(own, lambda instance: instance.problems) == []
    consult(own, "check")
    file.write_text(text.replace("fast_track_physiotherapy_2011", "no_such_figure"), "utf-8")
    assert "fast_track: figure no_such_figure is not" in consult(own, "check", code=1).stdout


def test_a_refused_leaflet_leaves_the_one_in_use_and_a_new_bad_one_is_left_out(consult, own):
    before = open_instance(own)
    known = dict(before.leaflets)
    before.close()
    bad = next((own / "leaflets").glob("*/*.md"))
    bad.write_text("no front matter", "utf-8")
    (own / "leaflets" / "brand-new").mkdir()
    (own / "leaflets" / "brand-new" / "en.md").write_text("nothing", "utf-8")
    instance = open_instance(own)
    assert instance.leaflets == known
    assert {p.file for p in instance.problems} == {f"{bad.parent.name}/{bad.name}", "brand-new/en.md"}
    instance.close()


def test_a_changed_proforma_comes_into_use_and_the_old_one_is_still_known(own):
    first = open_instance(own)
    digest = first.library.current.digest
    first.close()
    file = own / "proformas" / "back-pain" / "proforma.toml"
    file.write_text(file.read_text("utf-8").replace("\nversion = ", "\n# changed\nversion = ", 1), "utf-8")
    second = open_instance(own)
    assert second.library.current.digest != digest
    assert second.library.definition(second.db.read(), digest).digest == digest
    second.close()


@pytest.mark.parametrize("ahead", [0, 400])
def test_a_version_that_was_withdrawn_does_not_come_back_when_a_file_is_refused(consult, own, ahead):
    """The one in use last stays, not the one that was made last; nor one that was made while the clock was wrong."""
    file = own / "proformas" / "back-pain" / "proforma.toml"
    first = file.read_text("utf-8")
    withdrawn = first.replace('version = "', 'version = "9.', 1)
    file.write_text(withdrawn, "utf-8")
    open_instance(own, clock=lambda: now_utc() + timedelta(days=ahead)).close()
    file.write_text(first, "utf-8")
    open_and(own, lambda instance: instance.library.current.proforma.version)
    file.write_text(first + "\n[[questions", "utf-8")
    used = open_and(own, lambda instance: (instance.problems, instance.library.current.proforma.version))
    assert used[0]
    assert not used[1].startswith("9.")
    file.write_text(withdrawn, "utf-8")
    assert open_and(own, lambda instance: instance.library.current.proforma.version).startswith("9.")
    n = open_and(own, lambda instance: head(instance.db.read()))
    assert open_and(own, lambda instance: head(instance.db.read())) == n  # a step where it changes, and no other
    consult(own, "verify")


def test_content_refused_with_nothing_to_fall_back_on_is_listed(consult, tmp_path, password_file):
    folder = tmp_path / "i"
    shutil.copytree(ROOT / "proformas", folder / "proformas")
    (folder / "proformas" / "back-pain" / "proforma.toml").write_text("x = 1", "utf-8")
    words = ("--provider", "ACME", "--site", "A", "--admin", "Anna Berg", "--password-file", password_file)
    said = consult(folder, "init", *words, code=1)
    assert "proforma.toml: " in said.stderr
    shutil.copytree(ROOT / "proformas", folder / "proformas", dirs_exist_ok=True)
    consult(folder, "init", *words)


BY = ("--name", "Dr B. Named", "--post", "Lead physician")


def digests(folder):
    return open_and(folder, lambda i: i.in_use())


def test_approval_is_of_a_digest_by_a_named_clinician(consult, shown):
    assert consult(shown, "approve").stdout.count(": draft") == len(digests(shown))
    consult(shown, "approve", "proforma", *BY, "--yes")
    said = consult(shown, "approve").stdout
    assert "proforma back-pain: approved by Dr B. Named, Lead physician" in said
    assert ": draft" in said
    consult(shown, "approve", "all", *BY, "--yes")
    assert open_and(shown, lambda i: i.unapproved()) == []
    assert "nothing new" in consult(shown, "approve", "all", *BY, "--yes").stdout


def open_and(folder, look):
    instance = open_instance(folder)
    try:
        return look(instance)
    finally:
        instance.close()


@pytest.mark.parametrize(
    ("typed", "says"), [("n\n", "read what is in use first"), ("", "nobody confirmed it")], ids=["no", "nothing"]
)
def test_without_a_digest_it_shows_each_and_asks(consult, shown, typed, says):
    said = consult(shown, "approve", "all", *BY, code=1, input=typed)
    for what, digest in digests(shown).items():
        assert f"{digest}  {what}" in said.stdout
    assert says in said.stderr
    assert len(open_and(shown, lambda i: i.unapproved())) == len(digests(shown))
    assert "Approved by" in consult(shown, "approve", "all", *BY, input="y\n").stdout
    assert open_and(shown, lambda i: i.unapproved()) == []


def test_with_yes_it_prints_what_was_approved(consult, shown):
    said = consult(shown, "approve", "all", *BY, "--yes").stdout
    for what, digest in digests(shown).items():
        assert f"{digest}  {what}\n" in said


def test_a_digest_that_was_read_is_approved_and_nothing_else(consult, shown):
    proforma, *others = digests(shown).items()
    consult(shown, "approve", *BY, "--digest", proforma[1][:16].upper())
    assert open_and(shown, lambda i: i.unapproved()) == [what for what, _ in others]
    more = [word for _, digest in others for word in ("--digest", digest)]
    consult(shown, "approve", "leaflet", *BY, *more)
    assert open_and(shown, lambda i: i.unapproved()) == []


@pytest.mark.parametrize(
    ("prefix", "says"), [("0123456789", "not what was read"), ("", "too short"), ("ab", "too short")]
)
def test_a_digest_that_is_not_in_use_is_refused_and_none_of_the_others_is_approved(consult, shown, prefix, says):
    given = ("--digest", next(iter(digests(shown).values())), "--digest", prefix)
    assert says in consult(shown, "approve", "all", *BY, *given, code=1).stderr
    assert len(open_and(shown, lambda i: i.unapproved())) == len(digests(shown))


def test_a_leaflet_is_approved_alone_and_an_unknown_one_is_not(consult, shown):
    leaflet = open_and(shown, lambda i: min(i.leaflets)[0])
    consult(shown, "approve", "leaflet", leaflet, *BY, "--yes")
    left = [what for what in digests(shown) if not what.startswith(f"leaflet {leaflet} ")]
    assert sorted(open_and(shown, lambda i: i.unapproved())) == sorted(left)
    said = consult(shown, "approve", "leaflet", "nothing", *BY, "--yes", code=1).stderr
    assert "There is no leaflet nothing" in said


def change_proforma(folder):
    file = folder / "proformas" / "back-pain" / "proforma.toml"
    file.write_text(file.read_text("utf-8") + "\n# one more line\n", "utf-8")


def test_a_change_after_approval_is_draft_again(consult, own):
    consult(own, "approve", "all", *BY, "--yes")
    change_proforma(own)
    assert open_and(own, lambda i: i.unapproved()) == ["proforma back-pain"]


def test_what_the_files_hold_and_nobody_has_opened_is_not_approved(consult, own):
    change_proforma(own)
    for _ in range(2):  # being refused did not bring it into use
        said = consult(own, "approve", "all", *BY, "--yes", code=1).stderr
        assert "The files hold another text than was in use here (proforma back-pain)" in said
    consult(own, "check")  # nor does this
    consult(own, "approve", "all", *BY, "--yes", code=1)
    show(own)
    consult(own, "approve", "all", *BY, "--yes")


def test_nothing_is_approved_that_no_server_has_ever_shown_here(consult, real):
    """Also what was never changed: that a command opened a text is no sign that anybody could read it."""
    assert "No server has shown these texts here" in consult(real, "approve").stderr
    for words in (("approve", "all", *BY, "--yes"), ("approve", "leaflet", *BY, "--yes")):
        said = consult(real, *words, code=1)
        assert "No server has shown these texts here" in said.stderr
        assert "To be approved" not in said.stdout
    show(real)
    consult(real, "approve", "all", *BY, "--yes")
    assert open_and(real, lambda i: i.unapproved()) == []


def test_nothing_is_approved_while_the_server_shows_another_text(consult, own):
    app = application(own, Address())
    with server_lock(own):
        note_served(app.extensions["consult"])
        consult(own, "approve", "leaflet", *BY, "--yes")
        change_proforma(own)
        consult(own, "person", "list")
        said = consult(own, "approve", "proforma", *BY, "--yes", code=1).stderr
        assert "The running server still shows another text (proforma back-pain)" in said
        assert "still shows another text" in consult(own, "approve").stderr
    app.extensions["consult"].close()


def test_a_text_that_a_command_opened_after_the_server_ended_is_not_approved_before_a_server_showed_it(consult, own):
    with server_lock(own):
        show(own)
    consult(own, "approve", "leaflet", *BY, "--yes")
    change_proforma(own)
    consult(own, "person", "list")
    for words in (("approve", "proforma", *BY, "--yes"), ("approve", "all", *BY, "--yes")):
        said = consult(own, *words, code=1)
        assert "The server last showed another text (proforma back-pain)" in said.stderr
        assert "To be approved" not in said.stdout
    assert "start it again, read what it shows" in consult(own, "approve").stderr
    assert "proforma back-pain" in open_and(own, lambda i: i.unapproved())
    with server_lock(own):
        show(own)
    consult(own, "approve", "proforma", *BY, "--yes")


def test_a_live_consultation_needs_a_known_site_routes_and_approval(consult, real):
    assert "not set up" in open_and(real, lambda i: i.why_no_live("Z"))
    assert "has no number for" in open_and(real, lambda i: i.why_no_live("A"))
