"""Serving pages: one process with threads; plain HTTP on this machine only, anything else behind a TLS proxy."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from flask import Flask
from msgspec import Struct

from consult import footprint, server, tending
from consult.approving import note_served
from consult.instance import Instance, InstanceRefused
from consult.lock import server_lock
from consult.setting_up import open_set_up

LOOK_EVERY: Final = 60.0
"""Seconds between two looks whether a backup is due."""
HOST_NAME: Final = re.compile(r"(\w([\w.-]*\w)?|\[[0-9A-Fa-f:.]+\])(:\d+)?")
"""A name, or an address of IP version 6 in brackets; with or without a port."""
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


class Address(Struct, frozen=True):
    """Where to listen, the names pages may be asked for under, and whether a TLS proxy stands in front."""

    host: str = "127.0.0.1"
    port: int = 8000
    host_names: tuple[str, ...] = ()
    behind_tls: bool = False

    def why_refused(self) -> str | None:
        """Why this address may not be served, in a sentence that says what to do; None if it may."""
        if self.behind_tls and not self.host_names:
            return "Behind a TLS proxy the public name is needed; add --host-name NAME."
        if wrong := [name for name in self.host_names if not HOST_NAME.fullmatch(name)]:
            return (
                f"--host-name {wrong[0]} is no name of a machine, so no page could be asked for under it; give the "
                "name alone, such as backs.example.org."
            )
        if not _is_loopback(self.host) and not self.behind_tls:
            return (
                f"Plain HTTP is served to this machine only, not on {self.host}; put a TLS proxy in front and add "
                "--behind-tls-proxy --host-name NAME, or leave --host out."
            )
        return None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which pages may be asked for."""
        return tuple(name.lower() for name in self.host_names) or LOCAL_NAMES  # a browser sends small letters


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; browsers that come early wait in its queue."""
    host = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        raise InstanceRefused(_why_not_listening(host, port, error)) from error
    return listener


def _why_not_listening(host: str, port: int, error: OSError | OverflowError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"Port {port} is in use by another program; choose another with --port."
    if number == errno.EACCES:
        return f"Port {port} is kept for the system; choose one above 1023 with --port."
    return f"Nothing can listen on {host} port {port}; correct --host or --port."


def listen_near(host: str, port: int) -> socket.socket:
    """A socket on this port, or on any free one if it is taken."""
    try:
        return listen(host, port)
    except InstanceRefused:
        return listen(host, 0)


def url_of(listener: socket.socket) -> str:
    """The address to open in a browser on this machine."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def open_browser(url: str) -> None:
    """Open the browser without waiting for it; the queue of the socket holds its request until pages are served."""
    command = [sys.executable, "-m", "webbrowser", url]
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own interpreter and address


def application(folder: Path, address: Address, actor: str = "program") -> Flask:
    """The web application over a freshly opened instance that has been set up."""
    instance = open_set_up(folder, actor=actor)
    if instance.demonstration and address.behind_tls:
        instance.close()
        raise InstanceRefused(
            f"{folder} holds the demonstration, whose passwords are public, so it is served to this machine only; "
            "leave --behind-tls-proxy out, or serve a real installation (`consult init`)."
        )
    instance.hosts, instance.behind_tls = address.hosts, address.behind_tls
    from consult.web.app import create_app  # only once it is known that there is something to serve

    return create_app(instance)


def _tend_aside(folder: Path) -> None:
    """Do what is due in a process of its own, which leaves the processor to the one that serves."""
    command = [sys.executable, "-m", "consult.cli", "--instance", str(folder), "tend", "--gently"]
    behind = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)  # what Windows has for it
    none = subprocess.DEVNULL
    subprocess.run(command, stdin=none, stdout=none, stderr=none, check=False, creationflags=behind)  # noqa: S603 - our own


def keep_tending(instance: Instance) -> None:
    """While the server runs, look now and then whether a backup or the witness is due; what goes wrong is written down.

    The work is done in a process of its own, so that pages are served meanwhile.
    """

    def look() -> None:
        never = threading.Event()
        while not never.wait(LOOK_EVERY):
            with suppress(Exception):  # nothing here may stop the server; the doctor says what is overdue
                if tending.due(instance.folder, instance.db.read(), instance.clock()):
                    _tend_aside(instance.folder)
                instance.db.let_go()

    threading.Thread(target=look, name="tending", daemon=True).start()


def serve(
    folder: Path,
    listener: socket.socket,
    address: Address,
    ready: Callable[[Instance], None],
    actor: str = "program",
) -> None:
    """Serve an instance until the process is told to end; `ready` is called once everything has been found in order."""
    with footprint.for_good():
        app = application(folder, address, actor)  # what is wrong is said here, before the first page
        from consult.web.ahead import made_ready  # read with the application
    instance: Instance = app.extensions["consult"]
    try:
        with server_lock(folder):
            note_served(instance)
            footprint.share()
            footprint.leave_search_for_later()
            ready(instance)
            keep_tending(instance)
            instance.db.let_go()  # from here on this thread reads no more
            server.run(server.made(app, listener, "https" if address.behind_tls else "http"), made_ready(app))
    finally:
        instance.close()
