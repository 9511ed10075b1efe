"""A network on loopback that can be made bad: a proxy which refuses, resets, stalls, cuts and loses replies."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from served import free_port

RESET = struct.pack("ii", 1, 0)  # linger of no time: closing sends a reset
MODES = ("refuse", "reset", "stall", "cut request", "lose reply", "half reply")
"""Each way in which it can be bad: nobody listens; each connection is reset; nothing goes through, and what waited goes
on or is reset at the end; half a request is delivered; the request is delivered and the reply lost, or half of it."""


class Net:
    """Between a browser and a server, in a thread of its own."""

    def __init__(self, upstream: int) -> None:
        self.upstream, self.port, self.mode = upstream, free_port(), "well"
        self.requests = 0
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._begin())

    def be(self, mode: str, resume: bool = True) -> None:
        """Be well, or bad in one way; `resume` says whether what stalled goes on when it is well again."""
        self._call(self._change(mode, resume))

    def close(self) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=10)

    async def _begin(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _change(self, mode: str, resume: bool) -> None:
        before, self.mode = self.mode, mode
        if mode in ("refuse", "reset") or (before == "stall" and not resume):
            self._reset_all()
        if mode == "refuse" and self._server:
            self._server.close()
            self._server = None
        if mode != "refuse" and self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        if mode == "stall":
            self._flows.clear()
        else:
            self._flows.set()

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        self._flows.set()
        self._reset_all()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _reset_all(self) -> None:
        for pair in list(self._pairs):
            self._reset(*pair)

    def _reset(self, *writers: asyncio.StreamWriter | None) -> None:
        for writer in writers:
            if writer is None:
                continue
            known: socket.socket | None = writer.get_extra_info("socket")
            with suppress(OSError):
                if known is not None:
                    known.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "reset":
            self._reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            self._reset(writer)
            return
        pair = (writer, up_writer)
        self._pairs.add(pair)
        try:
            ways = [self._up(reader, up_writer), self._down(up_reader, writer)]
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._pairs.discard(pair)
            for side in pair:
                side.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                self.requests += data.startswith(b"POST")
                if self.mode == "cut request":
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return
                writer.write(data)
                await writer.drain()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                if self.mode == "lose reply":
                    return
                if self.mode == "half reply":
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return
                writer.write(data)
                await writer.drain()
