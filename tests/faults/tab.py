"""A browser tab without a screen: it sends what a page of the product sends, over a real connection."""

from __future__ import annotations

import http.client
import random
import re
import uuid
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.model import Question

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SEEN = re.compile(r'name="seen\.(\w+)" value="(\d+)(?::[^"]*)?"')
CSRF = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
TAGS = re.compile(r"<[^>]+>")
Fields = list[tuple[str, str]]


class Unreachable(Exception):
    """No whole reply came: whether the server has got it is not known."""


@dataclass(frozen=True)
class Reply:
    status: int
    text: str

    def seen(self) -> dict[str, int]:
        """The number of the last step of each question, as the page now knows it."""
        return {question: int(seq) for question, seq in SEEN.findall(self.text)}


@dataclass
class Tab:
    """Signed in by its cookie; `open` brings the CSRF token, as any page does."""

    port: int
    token: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    timeout: float = 20.0
    _connection: http.client.HTTPConnection | None = None

    def open(self, path: str = "/leaflets") -> Reply:
        """Load a page."""
        reply = self._ask("GET", path, None)
        if found := CSRF.search(reply.text):
            self.csrf = unescape(found.group(1))
        return reply

    def post(self, path: str, fields: Fields, htmx: bool = True) -> Reply:
        """Send a form, as htmx does or as a page without JavaScript."""
        if not htmx:
            fields = [("csrf_token", self.csrf), *fields]
        return self._ask("POST", path, urlencode(fields).encode(), htmx)

    def save(self, consultation: str, fields: Fields, key: str, htmx: bool = True) -> Reply:
        """Send answers with the key that the page made."""
        return self.post(f"/consultations/{consultation}/answers", [*fields, ("key", key)], htmx)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: bytes | None, htmx: bool = False) -> Reply:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in {"consult_session": self.token, **self.cookies}.items())}
        if body is not None:
            headers |= FORM | ({"HX-Request": "true", "X-CSRFToken": self.csrf} if htmx else {})
        kept = self._connection is not None
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if kept:  # the server may have ended it while it was idle: like a browser, ask once more on a new one
                return self._ask(method, path, body, htmx)
            raise Unreachable(str(error)) from error
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Reply(response.status, text)


def new_key() -> str:
    """A key as the page makes it."""
    return uuid.uuid4().hex


def plain(question: Question) -> bool:
    """A question that is always on the path, with all its options: what is sent for it is what is recorded."""
    return not question.retired and question.show_if is None and all(o.show_if is None for o in question.options)


def some_answer(question: Question, luck: random.Random) -> tuple[Fields, Answer]:
    """A random answer that the question can have, as the fields a page sends for it and as it is recorded."""
    states = [s for s in question.offered_states() if s != "not_asked"]
    name = f"a.{question.id}"
    if question.kind == "finding" or (states and question.kind == "choice" and luck.random() < 0.2):
        state = luck.choice(states)
        return [(name, state)], Answer(state)
    if question.kind == "choice":
        code = luck.choice(question.options).code
        return [(name, code)], Answer(ANSWERED, code)
    if question.kind == "choices":
        together = [o.code for o in question.options if not o.alone]
        ticked = set(luck.sample(together, luck.randint(1, min(3, len(together)))))
        codes = [o.code for o in question.options if o.code in ticked]
        return [(name, code) for code in codes], Answer(ANSWERED, codes)
    if question.kind == "number":
        number = luck.randint(question.min or 0, question.max or 0)
        return [(name, str(number))], Answer(ANSWERED, number)
    day = f"2026-{luck.randint(1, 12):02}-{luck.randint(1, 28):02}"
    if question.kind == "date":
        return [(name, day)], Answer(ANSWERED, day)
    words = f"In words {luck.randrange(10**6)}: \u00e9t\u00e9, \u201cquoted\u201d & <b>"
    if question.kind == "text":
        return [(name, words)], Answer(ANSWERED, words)
    parts = {"what": words, "start": day}
    return [(f"{name}.{part}", text) for part, text in parts.items()], Answer(ANSWERED, parts)


def another_answer(question: Question, now: Answer | None, luck: random.Random) -> tuple[Fields, Answer]:
    """A random answer that is not the one that stands."""
    while True:
        fields, answer = some_answer(question, luck)
        if answer != now:
            return fields, answer
