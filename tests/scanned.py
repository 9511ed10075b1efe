"""The product's own server, made ready for a scanner that can't keep up with it; run by tests/test_wapiti.py.

    python tests/scanned.py ROLE FOLDER

The scanner sends what it likes; a layer in front of the application gives each request the cookies of a session of the
role, the token of a form and what a browser says of where it comes from, wherever these are missing or no longer hold.
All else is as in use: the policy, the guards, the pages, and the server of `consult.serving`. Two faults are planted
behind all of that, so that a scanner which finds them has reached what lies behind.

It prints a line of JSON once it serves (port, addresses to begin at, those like another one), and one at the end (what
was reached).
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "web"), str(HERE)]

from addresses import address, methods, rules, values_of  # noqa: E402 - they lie in no package
from flask import Flask, g, redirect, request  # noqa: E402 - after the path is set
from visiting import Service, make, opened  # noqa: E402 - after the path is set
from werkzeug.wrappers import Request, Response  # noqa: E402 - after the path is set

from consult import server, serving  # noqa: E402 - after the path is set
from consult.accounts import factors, people, policy, sessions  # noqa: E402 - after the path is set
from consult.web.token import token  # noqa: E402 - after the path is set

LEAFLET, MEASURE = "back-pain-core", "red_flags_screened"
TOKEN = re.compile(rb"(^|&)csrf_token=[^&]*")
NOT_ASKED = ("/sign-out", "/lock", "/account/password", "/account/sessions", "/static", "/planted")
"""What would end the session over and over, is a file, or is not of the product."""


class Signed:
    """The layer: everybody who asks is signed in as one person, with a form of a page of ours."""

    def __init__(self, service: Service, role: str) -> None:
        self.service, self.role, self.app = service, role, service.app.wsgi_app
        self.lock, self.cookies, self.token = threading.Lock(), "", ""
        self.session = ""
        service.app.before_request_funcs[None].insert(0, self._same_token)

    def _same_token(self) -> None:
        """Have each page show the same token, or the scanner takes each form for another one."""
        if self.token:
            g.masked_token = self.token

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        cookies, token = self._now()
        environ["HTTP_COOKIE"] = cookies
        environ.pop("HTTP_ORIGIN", None)
        environ["HTTP_SEC_FETCH_SITE"] = "same-origin"
        if environ["REQUEST_METHOD"] == "POST":
            environ["HTTP_X_CSRFTOKEN"] = token
            body = Request(environ).get_data()
            if "urlencoded" in environ.get("CONTENT_TYPE", ""):
                body = TOKEN.sub(rb"\1csrf_token=" + token.encode(), body)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        self.service.hurry()
        return self.app(environ, start_response)

    def _now(self) -> tuple[str, str]:
        """The cookies and the token that hold now: a session that has ended is begun anew."""
        with self.lock:
            conn, now = self.service.instance.db.read(), self.service.clock()
            known = sessions.lookup(conn, self.session, now) if self.session else None
            if known is None or known.locked:
                self._sign_in()
            return self.cookies, self.token

    def _sign_in(self) -> None:
        who, at = self.service.who[self.role].actor, self.service.instance.store.at()
        with self.service.instance.db.write() as conn:  # whatever was sent may have stopped this person, or moved them
            people.set_active(conn, who, True, "test", at)
            people.place(conn, who, self.role, "A", "test", at)
            factors.require(conn, [], "test", at)
            self.session = sessions.create(conn, who, self.service.clock())
        self.token = ""
        through, self.service.app.wsgi_app = self.service.app.wsgi_app, self.app  # type: ignore[method-assign] # by itself
        try:
            client = self.service.app.test_client()
            client.set_cookie("consult_session", self.session)
            page = client.get("/account").text
            form = client.get_cookie("consult_form")
        finally:
            self.service.app.wsgi_app = through  # type: ignore[method-assign] # as above
        assert form is not None
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found is not None
        self.token, self.cookies = found[1], f"consult_session={self.session}; consult_form={form.value}"


def plant(app: Flask) -> None:
    """Put faults behind the sign-in, the policy and the token: what was sent stands in a page, and leads elsewhere."""

    def page(words: str) -> str:
        field = f'<input type="hidden" name="csrf_token" value="{token()}"><input name="words">'
        form = f'<form method="post" action="/planted/said">{field}<button>Say</button></form>'
        return f'<p>{words}</p><a href="/planted?words=some">Words</a> <a href="/planted/to?to=/tour">To</a>{form}'

    def planted() -> str:
        return page(request.args.get("words", ""))

    def said() -> str:
        return page(request.form.get("words", ""))

    def to() -> Response:
        found = re.match(r"((https?:)?//[a-z.-]+|/)[a-z/]*", request.args.get("to", ""))
        return redirect(found[0] if found else "/")

    app.add_url_rule("/planted", "planted", planted)
    app.add_url_rule("/planted/said", "planted_said", said, methods=["POST"])
    app.add_url_rule("/planted/to", "planted_to", to)
    policy.POLICY.update(dict.fromkeys(("planted", "planted_said", "planted_to"), policy.EVERYONE))


def watch(app: Flask, role: str) -> Callable[[], dict[str, Any]]:
    """Count what comes through to the routes, and what is refused on the way; how far that went is told at the end."""
    counted: Counter[tuple[str, str, int]] = Counter()

    def count(response: Response) -> Response:
        counted[request.endpoint or "", request.method, response.status_code] += 1
        return response

    def told() -> dict[str, Any]:
        open_to = {e for e, roles in policy.POLICY.items() if role in roles and e != "static"}
        ways = {(r.endpoint, m) for r in app.url_map.iter_rules() for m in methods(r) if r.endpoint in open_to}
        reached = {(e, m) for e, m, status in counted if (e, m) in ways and status not in (400, 401, 403, 405, 423)}
        failed = sorted(f"{e} {m} {status}" for e, m, status in counted if status >= 500)
        return {
            "requests": sum(counted.values()),
            "ways": len(ways),
            "reached": len(ways & reached),
            "missed": sorted(f"{m} {e}" for e, m in ways - reached),
            "failed": failed,
        }

    app.after_request(count)
    return told


def beginnings(service: Service, role: str) -> list[str]:
    """Every address that may be opened, with something that is there for each part of it."""
    values = values_of(service)
    return [
        address(service, rule, values)
        for rule in rules(service)
        if "GET" in methods(rule) and policy.allowed(role, rule.endpoint) and rule.endpoint != "static"
    ]


def like_another(service: Service) -> Iterator[str]:
    """Addresses that are like another one but for the leaflet, measure or question they name: one of each will do."""
    for leaflet, _ in service.instance.leaflets:
        if leaflet != LEAFLET:
            yield from (f"/leaflets/{leaflet}*", f"/leaflets/*/{leaflet}/*", f"/consultations/*/leaflets/{leaflet}/*")
    yield from (f"/results/measures/{one}*" for one in service.instance.measures.by_id if one != MEASURE)
    yield from ("/consultations/*/why/*", "*as=pdf*")


def main(role: str, folder: Path) -> None:
    make(folder)
    service = opened(folder)
    told = watch(service.app, role)
    plant(service.app)
    begin = [path for path in beginnings(service, role) if not path.startswith(NOT_ASKED)]
    service.app.wsgi_app = Signed(service, role)  # type: ignore[method-assign] # that is what a layer is
    with serving.listen("127.0.0.1", 0) as listener:
        waiter = server.made(service.app, listener, "http")
        threading.Thread(target=waiter.run, daemon=True).start()
        up = {"port": listener.getsockname()[1], "begin": begin, "like": list(like_another(service))}
        print(json.dumps(up), flush=True)
        sys.stdin.read()
        print(json.dumps(told()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
