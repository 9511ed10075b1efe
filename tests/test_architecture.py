"""The house: which part may use which, where SQL and the clock stand; no code knows a question or a measure."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from kinds import OF_A_KIND

from consult.proforma.checks import NEEDED
from consult.record.ledger import KINDS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "consult"
CONTENT = ROOT / "proformas" / "back-pain"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_content" not in path.parts)

# What each part may import besides itself: proforma -> record -> audit -> documents, exchange -> web; accounts beside
# audit. The modules of the instance and the command line stand above all parts and are told by `top`.
MAY_USE = {
    "proforma": set(),
    "record": {"proforma"},
    "audit": {"proforma", "record"},
    "accounts": {"proforma", "record"},
    "documents": {"proforma", "record", "audit"},
    "exchange": {"proforma", "record", "audit"},
    "evidence": {"proforma", "record", "audit", "accounts", "documents", "exchange", "top"},
    "web": {"proforma", "record", "audit", "accounts", "documents", "exchange", "evidence", "top"},
    "commands": {"proforma", "record", "audit", "accounts", "documents", "exchange", "evidence", "top", "commands"},
    "top": {"proforma", "record", "audit", "accounts", "documents", "exchange", "evidence", "top"},
}
# Where content is found is asked by whoever reads content; it imports nothing itself.
FOUND_BY_ANYONE = {"consult.content"}
STARTS_THE_WEB = {"consult/serving.py"}
JOINS_THE_COMMANDS = {"consult/cli.py"}

HOLDS_SQL = {
    "consult/record/": "the record",
    "consult/audit/": "the cases",
    "consult/accounts/": "people and sessions",
    "consult/proving.py": "looks at a copy that is a file of its own, before it is anyone's record",
    "consult/web/home.py": "only SELECT 1: is the database there",
}
CORE = ("consult/proforma/", "consult/record/consultation.py", "consult/record/ledger.py", "consult/audit/")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path):
    return ast.parse(path.read_text("utf-8"), name_of(path))


def part_of(module):
    words = module.split(".")
    if len(words) > 1 and (PACKAGE / words[1]).is_dir():
        return words[1]
    return "top"


def imports_of(path):
    """The names of all modules a file imports, wherever in it the import stands."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} has a relative import"
            yield node.module
            if node.module == "consult" or (PACKAGE / "/".join(node.module.split(".")[1:])).is_dir():
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_follow_the_arrows(path):
    own = part_of(name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    for module in imports_of(path):
        if not module.startswith("consult.") or module in FOUND_BY_ANYONE or module.startswith("consult.content."):
            continue
        used = part_of(module)
        if used == "web" and own != "web":
            assert name_of(path) in STARTS_THE_WEB, f"{name_of(path)} imports {module}; nothing imports web"
        elif used == "commands" and own != "commands":
            assert name_of(path) in JOINS_THE_COMMANDS, f"{name_of(path)} imports {module}; only cli.py joins commands"
        else:
            assert used == own or used in MAY_USE[own], f"{name_of(path)} imports {module}"


def test_where_content_is_found_needs_nothing():
    assert not [m for m in imports_of(PACKAGE / "content.py") if m.startswith("consult")]


@pytest.mark.parametrize("path", [p for p in MODULES if name_of(p).startswith(CORE)], ids=name_of)
def test_the_core_knows_no_web_and_asks_no_clock(path):
    assert not {m.split(".")[0] for m in imports_of(path)} & {"flask", "werkzeug", "wtforms", "flask_wtf", "jinja2"}
    assert "time" not in set(imports_of(path))
    assert not list(clock_readings(path))


def clock_readings(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and node.attr in ("now", "today", "utcnow", "monotonic", "localtime"):
            base = node.value
            named = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
            if named in ("datetime", "date", "time"):
                yield f"{name_of(path)}:{node.lineno} {named}.{node.attr}"


def test_the_clock_is_asked_in_one_place():
    readings = [reading for path in MODULES for reading in clock_readings(path)]
    assert {reading.split(":")[0] for reading in readings} == {"consult/record/store.py"}, readings


SQL_WORDS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "PRAGMA ", "BEGIN ")


def sql_in(path):
    for node in ast.walk(tree_of(path)):
        if is_sql(node) or is_execution(node):
            yield node.lineno


def is_sql(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip().startswith(SQL_WORDS)


def is_execution(node):
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in ("execute", "executemany", "executescript")


def test_sql_stands_only_where_it_is_said_to():
    found = {name_of(path) for path in MODULES if list(sql_in(path))}
    assert not {name for name in found if not name.startswith(tuple(HOLDS_SQL))}
    unused = {place for place in HOLDS_SQL if not any(name.startswith(place) for name in found)}
    assert not unused, "no longer holds any SQL: take it off the list"


# ---------------------------------------------------------------- a clinician's change is a data file


def ids_of_content():
    """The ids of questions and of measures, but for those that are also a field or a kind of step."""
    proforma = tomllib.loads((CONTENT / "proforma.toml").read_text("utf-8"))
    measures = tomllib.loads((CONTENT / "measures.toml").read_text("utf-8"))
    fields = {f["name"] for f in tomllib.loads((CONTENT / "dataset.toml").read_text("utf-8"))["fields"]}
    others = fields | set(KINDS)
    return {q["id"] for q in proforma["questions"]} - others, {m["id"] for m in measures["measures"]} - others


def strings_of(path):
    """The literals of a module that are not its documentation."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_code_knows_a_question_or_a_measure():
    questions, measures = ids_of_content()
    assert len(questions) > 100
    assert len(measures) > 15
    known = {
        f"{name_of(path)}: {text}" for path in MODULES for text in strings_of(path) if text in questions | measures
    }
    assert known == set()


# Fields that code names beside those that every data set must have; where a data set lacks one, nothing is said of it.
FIELDS_KNOWN = {
    "age_band": "filled at signing, as no question asks for it",
    "attendance_mode": "filled at signing, as no question asks for it",
    "episode_gap": "worked out from two dates; held against the dates of earlier consultations",
    "first_consultation": "held against the dates of earlier consultations",
    "back_pain_reason": "says whether an earlier consultation was about the same",
    "serious_pathology_suspected": "said beside a case in which no group of red flags is present",
    "rf_action": "said beside a case in which no group of red flags is present",
}


def test_code_names_a_field_only_where_a_data_set_must_have_it_or_may_lack_it():
    """Anything else would fail with the first data set of another proforma, which `consult check` calls right."""
    fields = {f["name"] for f in tomllib.loads((CONTENT / "dataset.toml").read_text("utf-8"))["fields"]}
    steps = {key for keys in KINDS.values() if keys is not None for key in keys} | set(KINDS)
    word = re.compile(rf"\b(?:{'|'.join(fields)})\b")
    named = {field for path in MODULES for text in strings_of(path) for field in word.findall(text)}
    long_enough = {field for field in named - steps if "_" in field}  # others are English words too
    assert long_enough == (set(NEEDED) | set(FIELDS_KNOWN)) - steps


def test_no_template_or_script_knows_a_question_or_a_measure():
    questions, measures = ids_of_content()
    long_enough = {i for i in questions | measures if "_" in i}  # sex is also an English word
    files = [*PACKAGE.rglob("templates/**/*.html"), *PACKAGE.glob("static/*.js"), *PACKAGE.glob("static/*.css")]
    assert len(files) > 20
    known = {f"{name_of(f)}: {i}" for f in files for i in long_enough if i in f.read_text("utf-8")}
    assert known == set()


def test_no_page_is_given_a_name_that_hides_a_word_every_template_has():
    web = tree_of(PACKAGE / "web" / "app.py")
    words = next(n for n in ast.walk(web) if isinstance(n, ast.FunctionDef) and n.name == "_words")
    every = {key.value for n in ast.walk(words) if isinstance(n, ast.Dict) for key in n.keys}
    assert {"when", "when_held", "may"} <= every
    hidden = [
        f"{name_of(path)}:{call.lineno} {given.arg}"
        for path, tree in ((path, tree_of(path)) for path in MODULES)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("render_template", "screen_context")
        for given in call.keywords
        if given.arg in every
    ]
    assert hidden == []


@pytest.mark.parametrize(("folder", "kinds"), OF_A_KIND.items())
def test_every_test_of_a_folder_that_may_be_passed_over_is_of_its_kind(folder, kinds):
    files = sorted((ROOT / "tests" / folder).rglob("test_*.py"))
    assert files
    for file in files:
        marks = next(
            node.value
            for node in ast.parse(file.read_text("utf-8")).body
            if isinstance(node, ast.Assign) and node.targets[0].id == "pytestmark"
        )
        every = marks.elts if isinstance(marks, ast.List) else [marks]
        named = {mark.attr for mark in every if isinstance(mark, ast.Attribute)}
        assert named & kinds, f"{file.name} is of no kind that {folder} holds"
