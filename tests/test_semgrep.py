"""Semgrep with rules of our own over code, scripts and pages: it finds nothing, and each rule finds its planted fault.

It runs in an environment of its own (tests/scanners.py), so that only the soak needs it: `-m soak -k semgrep`.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import scanners

RULES = scanners.ROOT / "tests" / "semgrep" / "rules.yml"
PLANTED = {
    "sent-text-names-a-file": ("a.py", "def f():\n    name = request.args['name']\n    return open(name)\n"),
    "sent-text-leads-elsewhere": ("a.py", "def f():\n    to = request.args.get('next')\n    return redirect(to)\n"),
    "sent-text-in-the-log": ("a.py", "def f():\n    what = request.form\n    app.logger.info('it: %s', what)\n"),
    "sent-text-in-a-statement": ("a.py", "def f(c):\n    x = typed('x')\n    c.execute('SELECT ' + x, (1,))\n"),
    "sent-text-as-a-reply": ("a.py", "def f():\n    x = request.args.get('x')\n    return Response('<p>' + x)\n"),
    "cookie-outside-its-place": ("a.py", "def f(reply):\n    reply.set_cookie('a', 'b')\n"),
    "secret-compared-by-equals": ("a.py", "def f(s, t):\n    return code_at(s, 1) == t\n"),
    "errors-of-the-inside-shown": ("a.py", "def f():\n    app.run(host='127.0.0.1', debug=True)\n"),
    "script-writes-markup-from-pieces": ("a.js", "function f(e, x) { e.innerHTML = '<b>' + x; }\n"),
    "script-runs-text": ("a.js", "function f(x) { return new Function(x); }\n"),
    "script-keeps-something": ("a.js", "function f(x) { localStorage.setItem('name', x); }\n"),
    "script-sets-a-key-it-does-not-know": ("a.js", "function f(o, k, v) { o[k] = v; }\n"),
    "script-leads-elsewhere": ("a.js", "function f(x) { location.href = x; }\n"),
    "form-without-a-token": ("a.html", '<form method="post" action="/x"><button>Do it</button></form>\n'),
    "page-with-a-script-in-it": ("a.html", '<p onclick="f()">Press</p>\n'),
}

pytestmark = pytest.mark.soak


def semgrep(*paths: Path) -> list[tuple[str, str]]:
    """What semgrep finds: the rule, and where. No registry is asked, and nothing is told to anybody."""
    offline = ["--metrics", "off", "--disable-version-check", "--no-git-ignore", "--json", "--quiet"]
    command = [scanners.scanner("semgrep") / "semgrep", "scan", "--config", RULES, *offline, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    said = json.loads(done.stdout)
    assert said["errors"] == []
    assert said["paths"]["scanned"]
    return [(hit["check_id"].rpartition(".")[2], f"{hit['path']}:{hit['start']['line']}") for hit in said["results"]]


def test_semgrep_finds_nothing_but_what_was_planted_once_by_each_rule(tmp_path: Path) -> None:
    """One run over the product and the planted faults, so that a run that looks at nothing would be noticed."""
    for rule, (name, text) in PLANTED.items():
        (tmp_path / rule).mkdir()
        (tmp_path / rule / name).write_text(text, "utf-8")
    package = scanners.ROOT / "consult"
    found = semgrep(*(package / part for part in ("accounts", "web", "templates")), *own_files(package), tmp_path)
    assert [hit for hit in found if str(tmp_path) not in hit[1]] == []
    planted = {(rule, Path(where).parent.name) for rule, where in found if str(tmp_path) in where}
    assert {rule for rule, _ in planted} == set(PLANTED) == named()
    assert {(rule, rule) for rule in PLANTED} <= planted


def own_files(package: Path) -> list[Path]:
    return [*sorted(package.glob("*.py")), *sorted(package.glob("static/*.js")), package / "commands"]


def named() -> set[str]:
    """The rules of the file."""
    return set(re.findall(r"^  - id: (\S+)$", RULES.read_text("utf-8"), re.MULTILINE))
