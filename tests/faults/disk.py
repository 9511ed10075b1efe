"""A disk that is watched and can be made to fail: the file layer of the product's own SQLite, wrapped in place.

SQLite reaches its files through a table of functions. Here opening and deleting files, and writing, cutting and syncing
them, are replaced by functions that tell what happens and then call the real ones. Needs no root and no compiler.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path

from consult.record.database import sqlite3

OK, FULL, IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE = 0, 13, 10 | 3 << 8, 10 | 4 << 8, 10 | 6 << 8
ERRORS = {"write": IOERR_WRITE, "sync": IOERR_FSYNC, "truncate": IOERR_TRUNCATE}
METHODS = 19  # the version, which fills one place, and 18 functions
WRITE, TRUNCATE, SYNC = 3, 4, 5
WITH_FOLDER = 0x00000800 | 0x00004000 | 0x00080000  # a journal, a super-journal, a write-ahead log

Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)


FOR_GOOD: list[object] = []  # what SQLite calls must not go while the process lives


class Vfs(Structure):
    """The head of SQLite's `sqlite3_vfs`."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
    )


def library() -> ctypes.CDLL:
    """The SQLite that the product is linked with."""
    module = __import__(f"{sqlite3.__name__.split('.')[0]}._sqlite3", fromlist=["x"])
    found = ctypes.CDLL(module.__file__)
    found.sqlite3_vfs_find.restype = POINTER(Vfs)
    return found


@dataclass
class Disk:
    """The disk as SQLite sees it from `install` on.

    `tell` is called with what happens ("create", "write", "truncate", "sync begun", "sync", "delete", "folder synced"),
    the file's name and number (a file made anew under its name has another), and the details. `fails` is asked before
    each write, truncation and sync, by kind and name; what it returns (0 for nothing) is the error SQLite gets instead.
    """

    tell: Callable[..., None] = lambda *_: None
    fails: Callable[[str, str], int] = lambda *_: OK
    _names: dict[int, tuple[str, int]] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)
    _tables: dict[int, int] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _new: set[tuple[str, int]] = field(default_factory=set)

    def install(self) -> Disk:
        """Put the wrapped functions in; they stay for the life of the process."""
        vfs = library().sqlite3_vfs_find(None).contents
        self._open, self._delete = Open(vfs.open), Delete(vfs.delete)
        opened, deleted = Open(self._on_open), Delete(self._on_delete)
        FOR_GOOD.append((self, vfs, opened, deleted))
        vfs.open, vfs.delete = (ctypes.cast(f, c_void_p).value for f in (opened, deleted))
        return self

    def _on_open(self, vfs: int, name: int | None, file: int, flags: int, out: int) -> int:
        path = ctypes.string_at(name).decode() if name else ""
        new = bool(path) and not Path(path).exists()
        code = self._open(vfs, name, file, flags, out)
        if code == OK and path:
            if new or path not in self._numbers:
                self._numbers[path] = self._numbers.get(path, -1) + 1
            self._names[file] = (path, self._numbers[path])
            if new:
                self.tell("create", *self._names[file])
                if flags & WITH_FOLDER:
                    self._new.add(self._names[file])
            methods = c_void_p.from_address(file)
            methods.value = self._wrapped(methods.value or 0)
        return code

    def _wrapped(self, table: int) -> int:
        """The address of a table of functions like this one, three of them replaced."""
        if table not in self._tables:
            copy = (c_void_p * METHODS).from_buffer_copy((c_void_p * METHODS).from_address(table))
            calls = (
                self._write(Write(copy[WRITE])),
                self._truncate(Truncate(copy[TRUNCATE])),
                self._sync(Sync(copy[SYNC])),
            )
            for place, call in zip((WRITE, TRUNCATE, SYNC), calls, strict=True):
                copy[place] = ctypes.cast(call, c_void_p).value
            self._kept += [copy, *calls]
            self._tables[table] = ctypes.addressof(copy)
        return self._tables[table]

    def _write(self, real: Callable[..., int]) -> object:
        def write(file: int, data: int, size: int, offset: int) -> int:
            name, number = self._names[file]
            if code := self.fails("write", name):
                return code
            self.tell("write", name, number, offset, ctypes.string_at(data, size))
            return real(file, data, size, offset)

        return Write(write)

    def _truncate(self, real: Callable[..., int]) -> object:
        def truncate(file: int, size: int) -> int:
            name, number = self._names[file]
            if code := self.fails("truncate", name):
                return code
            self.tell("truncate", name, number, size)
            return real(file, size)

        return Truncate(truncate)

    def _sync(self, real: Callable[..., int]) -> object:
        def sync(file: int, flags: int) -> int:
            name, number = self._names[file]
            if code := self.fails("sync", name):
                return code
            self.tell("sync begun", name, number)
            code = real(file, flags)
            if code == OK:
                self.tell("sync", name, number)
                if (name, number) in self._new:  # the first sync of a journal brings its folder along
                    self._new.discard((name, number))
                    self.tell("folder synced", str(Path(name).parent))
            return code

        return Sync(sync)

    def _on_delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        path = name.decode()
        self.tell("delete", path)
        code = self._delete(vfs, name, sync_folder)
        if code == OK and sync_folder:
            self.tell("folder synced", str(Path(path).parent))
        return code


__all__ = ["ERRORS", "FULL", "OK", "Disk"]
