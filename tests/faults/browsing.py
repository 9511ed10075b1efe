"""A browser for the fault harnesses, and what the record holds, read past the product."""

from __future__ import annotations

from contextlib import closing

from house import House
from playwright.sync_api import Browser, BrowserContext
from writers import answer_of

from consult.instance import database_file
from consult.proforma.answer import Answer
from consult.record.database import sqlite3


def signed_in(browser: Browser, address: str, token: str) -> BrowserContext:
    """A window of its own, signed in."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, base_url=address, locale="en-GB")
    context.set_default_timeout(15_000)
    context.add_cookies([{"name": "consult_session", "value": token, "url": address}])
    return context


class Record:
    """The answers of a house as the file holds them."""

    def __init__(self, house: House) -> None:
        self._conn = sqlite3.connect(f"file:{database_file(house.folder)}?mode=ro", uri=True)
        self._conn.row_factory = sqlite3.Row

    def close(self) -> None:
        self._conn.close()

    def answers(self, consultation: str, question: str) -> list[Answer | None]:
        """What each step about a question left standing, in order; None where it took the answer away."""
        query = (
            "SELECT s.kind, c.content FROM step s JOIN step_content c USING (seq) "
            "WHERE consultation = ? AND question = ? ORDER BY seq"
        )
        with closing(self._conn.execute(query, (consultation, question))) as rows:
            return [answer_of(row) for row in rows]

    def stands(self, consultation: str, question: str) -> Answer | None:
        """The answer that stands."""
        answers = self.answers(consultation, question)
        return answers[-1] if answers else None

    def kinds(self, consultation: str) -> list[str]:
        """The kinds of all steps of a consultation, in order."""
        query = "SELECT kind FROM step WHERE consultation = ? ORDER BY seq"
        with closing(self._conn.execute(query, (consultation,))) as rows:
            return [row[0] for row in rows]
