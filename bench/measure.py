"""One command measured from a small process of its own: time, processor time, and the memory of all its processes.

    python -I -S bench/measure.py '{"words": ["hugo"], "sample": true, "limit": 600, "descriptors": 0}'

prints one line of JSON. A child starts as a copy of its parent, and what getrusage calls its peak starts with the
parent's size: so the parent is this file, which imports next to nothing. With `sample` the processes are looked at
every 50 ms: the sum of their proportional sizes (memory shared by several counts once), the highest size of the first,
the highest proportional size and the most descriptors of any other. Looking costs time, so times are taken without. Knows no builder. Linux only: proc(5).
"""

import json
import os
import resource
import select
import signal
import sys
import time

EVERY = 0.05  # seconds


def measure(words, sample, limit, descriptors):
    """Run `words` here, at most `limit` seconds; `exit` is -9 when they took longer."""
    if descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    begin = time.perf_counter()
    null = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=[null], setsid=True)
    peaks = {"all": 0, "parent": 0, "child": 0, "parent_files": 0, "child_files": 0}
    ended = os.pidfd_open(pid)
    while not select.select([ended], [], [], EVERY if sample else limit)[0]:
        if time.perf_counter() - begin >= limit:
            os.killpg(pid, signal.SIGKILL)
        elif sample:
            look(pid, peaks)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begin
    code = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall": wall, "cpu": cpu, "exit": code, **(peaks if sample else {})}


def look(pid, peaks):
    """Raise the peaks (MB, and numbers of descriptors) to what `pid` and its descendants hold now."""
    total = 0
    for one in family(pid):
        role = "parent" if one == pid else "child"
        share = kilobytes(f"/proc/{one}/smaps_rollup", "Pss:")
        total += share
        highest = kilobytes(f"/proc/{one}/status", "VmHWM:") if one == pid else share
        peaks[role] = max(peaks[role], highest / 1024)
        peaks[role + "_files"] = max(peaks[role + "_files"], entries(f"/proc/{one}/fd"))
    peaks["all"] = max(peaks["all"], total / 1024)


def family(pid):
    """`pid`, its descendants, and whatever shares its session because its parent is gone."""
    parents = {}
    members = {pid}
    for name in filter(str.isdigit, os.listdir("/proc")):
        fields = read(f"/proc/{name}/stat").rpartition(")")[2].split()
        if len(fields) > 3:
            parents[int(name)] = int(fields[1])
            if int(fields[3]) == pid:
                members.add(int(name))
    for one in sorted(parents):
        line = [one]
        while line[-1] in parents and line[-1] not in members:
            line.append(parents[line[-1]])
        if line[-1] in members:
            members.update(line)
    return members


def kilobytes(file, name):
    for line in read(file).splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def entries(folder):
    try:
        return len(os.listdir(folder))
    except OSError:  # it ended meanwhile
        return 0


def read(file):
    try:
        with open(file) as stream:  # noqa: PTH123 -- pathlib would be half of what this process holds
            return stream.read()
    except OSError:
        return ""


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
