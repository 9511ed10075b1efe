"""Stops a process dead at a chosen moment, as a power cut of the machine would end it, and counts the moments."""

import os
import sys
from pathlib import Path

STOPPED = 77


def in_child(work):
    """Run `work` in a forked process; returns its exit code (0 if it came to its end)."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def at_line(k, files, work):
    """Do `work`, but end the process before the k-th line it comes to in some files of the program."""
    names, left = {str(Path(file)) for file in files}, [k]

    def trace(frame, event, _):
        if frame.f_code.co_filename not in names:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] <= 0:
                os._exit(STOPPED)
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)


def at_statement(k, database, work):
    """Do `work`, but end the process before the k-th statement that its connections run, triggers' own included."""
    left, connect = [k], database.Database._connect

    def counted(self, *kept):
        def told(_statement):
            left[0] -= 1
            if left[0] <= 0:
                os._exit(STOPPED)

        conn = connect(self, *kept)
        conn.set_trace_callback(told)
        return conn

    database.Database._connect = counted
    try:
        work()
    finally:
        database.Database._connect = connect
