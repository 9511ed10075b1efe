"""How long a refused sign-in takes says nothing of whether the name is known; a server that leaks it is found.

Asked of the product's own server, over a real connection, known and unknown names in one shuffled order, each once. The
measure is that of Mann and Whitney (1947): the chance that a known name takes longer than an unknown one; it is a half
where time tells nothing. Hashes are made quick by the setting, so that their own noise hides no other difference.
"""

from __future__ import annotations

import http.client
import random
import re
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from math import sqrt
from pathlib import Path
from urllib.parse import urlencode

import pytest
from luck import seeded
from served import Served

from consult.accounts import people
from consult.instance import open_instance
from consult.record import settings

EACH = 1_000
BOUND = 0.05
"""How far from a half the chance may be: 3.9 standard errors of it at a thousand of each, where nothing is told."""
LEAK = 0.25
pytestmark = [pytest.mark.soak, pytest.mark.fault]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """An instance with a thousand people of made-up names, and what they sign in as."""
    folder, rng = tmp_path_factory.mktemp("many") / "instance", random.Random(7)
    with closing(open_instance(folder, create=True)) as instance, instance.db.write() as conn:
        at = instance.store.at()
        settings.change_setting(conn, "provider", "DEMO", "test", at)
        settings.change_setting(conn, "demonstration", True, "test", at)
        settings.change_setting(conn, people.WORK, "scrypt:2048:8:1", "test", at)
        settings.put_site(conn, settings.Site("A", "Site A (invented)"), "test", at)
        names = sorted({name(rng) for _ in range(EACH + 50)})[:EACH]
        for one in names:
            people.add_person(conn, people.NewPerson(one, "nurse", "A", "plainly made-up words", one), "test", at)
    return folder, names


def name(rng: random.Random) -> str:
    return "".join(rng.choice("bcdfghklmnprst") + rng.choice("aeiou") for _ in range(5))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "server.log")
    yield running
    running.close()


def seconds(port: int, names: list[str]) -> dict[str, float]:
    """How long each refused sign-in takes, in the order given, on one connection."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    asking.request("GET", "/sign-in")
    reply = asking.getresponse()
    found = re.search(r'name="csrf_token" value="([^"]+)"', reply.read().decode())
    assert found
    cookie = (reply.headers["Set-Cookie"] or "").partition(";")[0]
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    taken = {}
    for one in names:
        body = urlencode({"username": one, "password": "not this one at all", "csrf_token": found[1]})
        before = time.perf_counter()
        asking.request("POST", "/sign-in", body, headers)
        answer = asking.getresponse()
        answer.read()
        taken[one] = time.perf_counter() - before
        assert answer.status == 422
    asking.close()
    return taken


def chance_of_longer(some: list[float], others: list[float]) -> float:
    """The chance that one of some is longer than one of the others; ties count half (Mann and Whitney, 1947)."""
    ranked = sorted([(value, True) for value in some] + [(value, False) for value in others])
    ranks = dict.fromkeys(range(len(ranked)), 0.0)
    begin = 0
    ends = [n + 1 for n, (a, b) in enumerate(pairwise(ranked)) if a[0] != b[0]] + [len(ranked)]
    for end in ends:
        for n in range(begin, end):
            ranks[n] = (begin + end + 1) / 2
        begin = end
    total = sum(rank for (_, mine), rank in zip(ranked, ranks.values(), strict=True) if mine)
    return (total - len(some) * (len(some) + 1) / 2) / (len(some) * len(others))


def test_the_measure_is_a_half_for_the_same_and_all_or_nothing_for_others() -> None:
    assert chance_of_longer([1, 2, 3], [1, 2, 3]) == 0.5
    assert chance_of_longer([4, 5], [1, 2, 3]) == 1.0
    assert chance_of_longer([1, 1], [1, 2]) == 0.25
    assert chance_of_longer([0], [1, 2]) == 0.0


def measured(served: Served, known: tuple[Path, list[str]], build: str) -> float:
    folder, names = known
    rng = seeded(build)
    strangers: set[str] = set()
    while len(strangers) < len(names):
        strangers |= {name(rng)} - set(names)
    order = [*names, *sorted(strangers)]
    rng.shuffle(order)
    served.start(folder, build)
    try:
        taken = seconds(served.port, order)
    finally:
        served.stop()
    chance = chance_of_longer([taken[one] for one in names], [taken[one] for one in sorted(strangers)])
    error = sqrt((len(order) + 1) / (12 * len(names) * len(strangers)))
    print(f"{build}: {len(order)} tries, chance {chance:.3f}, {abs(chance - 0.5) / error:.1f} errors")
    return abs(chance - 0.5)


def test_time_tells_no_known_name_from_an_unknown_one(served: Served, known: tuple[Path, list[str]]) -> None:
    assert measured(served, known, "product") <= BOUND


def test_a_server_that_skips_the_hash_for_unknown_names_is_found(served: Served, known: tuple[Path, list[str]]) -> None:
    assert measured(served, known, "skips the hash for unknown names") > LEAK
