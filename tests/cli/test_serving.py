"""Serving: real processes, one server an instance, this machine only unless a TLS proxy stands in front."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from contextlib import closing, contextmanager, suppress

import pytest

from consult import serving
from consult.accounts.policy import POLICY
from consult.approving import SERVED
from consult.instance import InstanceRefused, open_instance
from consult.lock import Held, is_served, server_lock
from consult.serving import Address, application


@contextmanager
def running(*words):
    """A process that serves, its address, and what it printed before it said so."""
    command = [sys.executable, *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = ""
        try:
            for line in process.stdout:
                said += line
                if found := re.search(r"http://[\w.:\[\]]+/", line):
                    yield process, found[0], said
                    break
            else:
                raise AssertionError(process.stderr.read())
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=40)
            assert "Traceback" not in errors
            assert "Error" not in errors


def status(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.status


def test_serve_answers_holds_the_lock_and_stops_when_told(consult, real):
    with running("-m", "consult.cli", "--instance", real, "serve", "--port", "0") as (process, address, _):
        assert status(address + "health") == 200
        assert is_served(real)
        assert "A server is running" in consult(real, "serve", "--port", "0", code=1).stderr
        assert "server: A server is running" in consult(real, "doctor").stdout
        consult(real, "backup")
    assert process.returncode == 0
    assert not is_served(real)


SERVE_WITHOUT_ROOM = (
    "import resource, signal, sys; from consult.cli import main; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)); main(['--instance', sys.argv[1], 'serve', '--port', '0'])"
)


@pytest.mark.skipif(sys.platform == "win32", reason="a process is given a limit")
def test_without_room_for_what_it_shows_it_serves_all_the_same_and_nothing_is_approved(consult, real):
    (real / SERVED).write_text(json.dumps(digests_in(real)), "utf-8")  # what the server before showed
    words = ("approve", "all", "--name", "Dr Ada Example", "--post", "Consultant", "--yes")
    with closing(open_instance(real)), running("-c", SERVE_WITHOUT_ROOM, real) as (_, address, _):
        assert status(address + "health") == 200
        assert f"could not write down in {real} which texts it shows" in consult(real, *words, code=1).stderr
    assert "No server has shown these texts here" in consult(real, *words, code=1).stderr


def digests_in(folder):
    with closing(open_instance(folder)) as instance:
        return instance.in_use()


def test_what_was_asked_before_the_end_is_answered_and_nothing_after_it(real):
    """What was sent lies with the server by then, read or not."""
    with running("-m", "consult.cli", "--instance", real, "serve", "--port", "0") as (process, address, _):
        port = int(address.rsplit(":", 1)[1].strip("/"))
        page = f"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(page)
            found = b""
            while b"</html>" not in found:
                found += line.recv(65536)
            cookie = re.search(r"Set-Cookie: ([^;]+)", found.decode())[1]
            token = re.search(r'name="csrf_token" value="([^"]+)"', found.decode())[1]
            form = urllib.parse.urlencode(
                {"csrf_token": token, "username": "anna.berg", "password": "quiet otter paints fences"}
            )
            line.sendall(
                f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nOrigin: {address[:-1]}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}".encode()
            )
            process.send_signal(signal.SIGTERM)
            assert line.recv(65536).startswith(b"HTTP/1.1 302 ")
        assert process.wait(timeout=20) == 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_browsers_that_go_on_asking_do_not_keep_it_from_ending(real):
    """Each asks again as soon as it has its reply; a few come yet, until the end is noticed."""
    asking, many = 24, 400
    late = []
    with running("-m", "consult.cli", "--instance", real, "serve", "--port", "0") as (process, address, _):
        port = int(address.rsplit(":", 1)[1].strip("/"))
        told, begun = threading.Event(), threading.Barrier(asking + 1)

        def go_on():
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            line.request("GET", "/sign-in")
            line.getresponse().read()
            begun.wait(timeout=20)
            with suppress(OSError, http.client.HTTPException):
                while len(late) < many:
                    line.request("GET", "/sign-in")
                    line.getresponse().read()
                    if told.is_set():
                        late.append(1)

        threads = [threading.Thread(target=go_on) for _ in range(asking)]
        for thread in threads:
            thread.start()
        begun.wait(timeout=20)
        process.send_signal(signal.SIGTERM)
        told.set()
        for thread in threads:
            thread.join()
        assert process.wait(timeout=20) == 0
    assert len(late) < many


def test_demo_prints_its_address_and_sign_ins(demo_copy):
    words = ("-m", "consult.cli", "demo", "--no-open", "--port", "0", "--instance", demo_copy)
    with running(*words) as (process, address, _):
        assert status(address + "sign-in") == 200
        rest = "".join(iter(process.stdout.readline, "Stop it with Ctrl+C.\n"))
        for name in ("nurse", "doctor", "physio", "auditlead", "coordinator", "admin"):
            assert re.search(rf"^  {name} +made-up-for-the-demo ", rest, re.M)


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        (Address(), ""),
        (Address("::1"), ""),
        (Address("localhost"), ""),
        (Address("127.0.0.2"), ""),
        (Address("0.0.0.0"), "this machine only"),  # noqa: S104 - this is what must be refused
        (Address("192.168.1.5"), "this machine only"),
        (Address("oh.example.org"), "this machine only"),
        (Address("::"), "this machine only"),
        (Address(behind_tls=True), "--host-name"),
        (Address("192.168.1.5", host_names=("oh.example.org",)), "this machine only"),
        (Address("192.168.1.5", host_names=("oh.example.org",), behind_tls=True), ""),
        (Address(host_names=("oh.example.org",), behind_tls=True), ""),
        (Address(host_names=("OH-Server01.Example.org:8443",), behind_tls=True), ""),
        (Address(host_names=("oh", "10.1.2.3", "[2001:db8::1]", "rücken.example.org"), behind_tls=True), ""),
        *[
            (Address(host_names=("oh.example.org", wrong), behind_tls=True), "no name of a machine")
            for wrong in (
                "https://oh.example.org",
                "oh.example.org/",
                "oh example",
                "*.example.org",
                ".example.org",
                "",
            )
        ],
    ],
)
def test_plain_http_is_for_this_machine_only(address, refused):
    sentence = address.why_refused()
    assert (refused in sentence) if refused else (sentence is None)


def test_a_name_given_in_capitals_is_served_as_browsers_write_it(real):
    """A Windows administrator writes OH-SERVER01; a browser asks for oh-server01."""
    app = serving.application(real, Address(host_names=("OH-SERVER01.Example.org",), behind_tls=True))
    try:
        assert app.test_client().get("/health", base_url="https://oh-server01.example.org").status_code == 200
        assert app.test_client().get("/health", base_url="https://other.example.org").status_code == 400
    finally:
        app.extensions["consult"].close()


def test_the_demonstration_is_never_served_to_others_as_its_passwords_are_public(consult, demo_copy):
    words = ("serve", "--port", "0", "--behind-tls-proxy", "--host-name", "oh.example.org")
    assert "whose passwords are public" in consult(demo_copy, *words, code=1).stderr
    assert not is_served(demo_copy)


def test_a_port_in_use_is_said_or_another_is_found():
    with serving.listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InstanceRefused, match=f"Port {port} is in use"):
            serving.listen("127.0.0.1", port)
        with serving.listen_near("127.0.0.1", port) as other:
            assert other.getsockname()[1] != port


def test_a_lock_is_held_once_and_free_again(tmp_path):
    with server_lock(tmp_path), pytest.raises(Held), server_lock(tmp_path):
        pass
    assert not is_served(tmp_path)


def test_the_policy_has_an_entry_for_every_route_and_for_nothing_else(real):
    app = application(real, Address())
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(POLICY)
    app.extensions["consult"].close()
