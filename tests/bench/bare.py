"""The least that Flask can do for what the product does: the limit its speed is held against.

`python tests/bench/bare.py PORT DATABASE` serves it as the product is served: one process with four threads, one kept
connection behind one lock, WAL and `synchronous = FULL`. It checks nothing, keeps no history and serves one role: it is
a floor and no product.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import waitress
from flask import Flask, request
from pysqlite3 import dbapi2 as sqlite3  # the one the product uses

QUESTIONS = (
    "A fall, a crash or a blow before it began?",
    "Fever, or feeling very ill?",
    "Weight loss without a reason?",
    "Numbness between the legs?",
    "Weakness of both legs?",
    "Cancer, ever?",
    "Pain that is worse at night?",
    "Long use of steroid tablets?",
)
STATES = (("present", "Yes"), ("absent", "No"), ("unsure", "Could not establish"), ("declined", "Declined"))
PAGE = """<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>Eight questions</title></head><body>
<main><h1>Eight questions</h1><form method="post" action="/save">
{% for question in questions %}<fieldset id="q{{ loop.index }}"><legend>{{ question }}</legend>
{% set name = 'q' ~ loop.index %}{% for code, label in states %}<label><input type="radio" name="{{ name }}"
 value="{{ code }}"{% if answers.get(name) == code %} checked{% endif %}> {{ label }}</label>
{% endfor %}</fieldset>{% endfor %}<button>Save</button></form></main></body></html>"""


def create_bare(file: str) -> Flask:
    """The bare application: a word, a page of eight questions, and one durable commit."""
    app = Flask("bare")
    page, lock, kept = app.jinja_env.from_string(PAGE), threading.Lock(), list[Any]()

    def connection() -> Any:
        if not kept:
            conn = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = FULL")
            conn.execute("CREATE TABLE IF NOT EXISTS answer (id INTEGER PRIMARY KEY, question, value, at)")
            kept.append(conn)
        return kept[0]

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/page")
    def eight() -> str:
        return page.render(questions=QUESTIONS, states=STATES, answers={"q1": "absent", "q4": "present"})

    @app.post("/save")
    def save() -> str:
        row = (request.form.get("question", ""), request.form.get("value", ""), datetime.now(UTC).isoformat())
        with lock:
            connection().execute("INSERT INTO answer (question, value, at) VALUES (?, ?, ?)", row)
        return "saved"

    return app


def serve(port: int, file: str) -> None:
    """Serve it as the product is served."""
    sys.setswitchinterval(0.001)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    listener = socket.create_server(("127.0.0.1", port))
    waitress.serve(create_bare(file), sockets=[listener], threads=4, ident=None, asyncore_use_poll=True, _quiet=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
