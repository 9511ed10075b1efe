"""Rules of our own over the source of the product: what may never stand in it. `findings` gives a sentence for each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

RUNS = {"eval", "exec", "compile", "__import__", "breakpoint"}
UNPACKS = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
MAY_CALL_OUT = {
    "consult/accounts/provider.py": "the provider of single sign-on, where an administrator set one up",
    "consult/handing_on.py": "the syslog of this very machine, where an administrator set that",
}
CALLS_OUT = {
    "requests",
    "authlib.integrations.requests_client",
    "urllib.request",
    "http.client",
    "logging.handlers",
    "smtplib",
    "ftplib",
    "telnetlib",
    "httpx",
    "aiohttp",
}
MAKES_TEMPLATES = {"render_template_string", "from_string", "Template", "Markup"}
WEAK = {"md5", "sha1", "new"}
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|WITH|BEGIN|REPLACE)\b", re.IGNORECASE)
AS_IT_IS = {
    "{{ style|safe }}": "a stylesheet of our own",
    "{{ script|safe }}": "a script of our own, in a page that stands alone",
    "{{ leaflet.html|safe }}": "a leaflet, cleaned when it was read",
    "{{ html|safe }}": "the same",
}
"""What a template may put into a page as it is, and why."""
SAFE_IN_TEMPLATES = re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false", re.IGNORECASE)


def findings(source: str, name: str) -> list[str]:
    """What one module breaks, each with its line."""
    tree = ast.parse(source, name)
    return sorted(f"{name}:{line} {words}" for line, words in _all(tree, name))


def _all(tree: ast.Module, name: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node, name)
        elif isinstance(node, ast.Call):
            yield from _call(node, name)


def _imports(node: ast.Import | ast.ImportFrom, name: str) -> Iterator[tuple[int, str]]:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    named = {alias.name for alias in node.names} | ({module} if module else set())
    named |= {f"{module}.{alias.name}" for alias in node.names if module}
    if named & UNPACKS:
        yield node.lineno, "makes objects from bytes"
    if named & CALLS_OUT and name not in MAY_CALL_OUT:
        yield node.lineno, "calls another system"
    if "random" in named and not Path(name).name.startswith("demo"):
        yield node.lineno, "draws numbers that can be guessed"


def _call(node: ast.Call, name: str) -> Iterator[tuple[int, str]]:
    called = node.func.id if isinstance(node.func, ast.Name) else ""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    base = node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""
    if called in RUNS:
        yield node.lineno, "runs text as code"
    if called in MAKES_TEMPLATES or method in MAKES_TEMPLATES:
        yield node.lineno, "makes a template or markup from text"
    if any(keyword.arg == "shell" and not _is_false(keyword.value) for keyword in node.keywords):
        yield node.lineno, "goes through a shell"
    if base == "os" and (method in ("system", "popen") or method.startswith("spawn")):
        yield node.lineno, "goes through a shell"
    if base == "hashlib" and method in WEAK:
        yield node.lineno, "uses a weak or unnamed hash function"
    if name.startswith("consult/web/") and (called in ("open", "Path") or method in ("send_file", "open")):
        yield node.lineno, "opens a file from the web part"
    if method in ("execute", "executemany", "executescript") and node.args:
        yield from _statement(node.args[0])
    if base == "re" and node.args:
        yield from _pattern(node.args[0])


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _statement(sql: ast.expr) -> Iterator[tuple[int, str]]:
    """A value may never stand in the text of a statement: it is bound."""
    if isinstance(sql, ast.JoinedStr):
        for before, after in zip(sql.values, sql.values[1:], strict=False):
            quoted = isinstance(before, ast.Constant) and str(before.value).endswith("'")
            if quoted and isinstance(after, ast.FormattedValue) and not _is_harmless(after.value):
                yield sql.lineno, "puts a value into a statement"
        for part in sql.values:
            if isinstance(part, ast.FormattedValue) and _from_outside(part.value):
                yield sql.lineno, "puts what was sent into a statement"
    elif isinstance(sql, ast.BinOp) and isinstance(sql.op, ast.Mod):
        yield sql.lineno, "puts a value into a statement"
    elif isinstance(sql, ast.BinOp) and isinstance(sql.op, ast.Add) and _is_statement(sql.left):
        yield sql.lineno, "puts a statement together from pieces"
    elif isinstance(sql, ast.Call) and isinstance(sql.func, ast.Attribute) and sql.func.attr == "format":
        yield sql.lineno, "puts a value into a statement"


def _is_statement(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value) is not None


def _from_outside(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id in ("request", "form", "args", "typed") for part in ast.walk(node)
    )


def _pattern(pattern: ast.expr) -> Iterator[tuple[int, str]]:
    """What is put into a regular expression is escaped, unless it is a constant of the module."""
    for part in pattern.values if isinstance(pattern, ast.JoinedStr) else []:
        if isinstance(part, ast.FormattedValue) and not _is_harmless(part.value):
            yield pattern.lineno, "puts text into a regular expression"


def _is_harmless(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id.isupper() or node.id.lstrip("_").isupper()
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "escape"


def template_findings(text: str, name: str) -> list[str]:
    """Where a template puts something into a page as it is that is not on the list."""
    for known in AS_IT_IS:
        text = text.replace(known, "")
    return [
        f"{name}:{number} puts something into a page as it is"
        for number, line in enumerate(text.splitlines(), 1)
        if SAFE_IN_TEMPLATES.search(line)
    ]
