"""An instance of a service under a hard CPU limit, for tests: a process in a control group of its own."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

PERIOD_US = 100_000
START_SECONDS = 10


class Unsupported(Exception):
    """This machine gives no control group; the reason."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _write(path, text):
    path.write_text(text)


def _groups(name):
    """The folders that make one limited group: (those to create, the one to give as metrics)."""
    root = pathlib.Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        if "cpu" not in (root / "cgroup.subtree_control").read_text().split():
            raise Unsupported("the cpu controller of cgroup v2 is not delegated to children of the root")
        return [root / name]
    for cpu, account in (("cpu", "cpuacct"), ("cpu,cpuacct", "cpu,cpuacct")):
        if (root / cpu / "cpu.cfs_quota_us").exists() or (root / cpu / "cgroup.procs").exists():
            return [root / cpu / name] + ([root / account / name] if account != cpu else [])
    raise Unsupported("there is no cgroup with CPU limits under /sys/fs/cgroup")


class CappedInstance:
    """`with CappedInstance(["python3", "app.py"], cores=0.2) as instance:` has .url, .metrics and .process.

    The command finds its port in the environment as PORT. Group and process are gone afterwards.
    """

    def __init__(self, command, cores):
        self.command, self.cores = command, cores

    def __enter__(self):
        name = f"headroom-test-{os.getpid()}"
        self.groups = _groups(name)
        try:
            for group in self.groups:
                group.mkdir()
            first = self.groups[0]
            quota = int(self.cores * PERIOD_US)
            if (first / "cpu.max").exists():
                _write(first / "cpu.max", f"{quota} {PERIOD_US}")
            else:
                _write(first / "cpu.cfs_period_us", str(PERIOD_US))
                _write(first / "cpu.cfs_quota_us", str(quota))
        except OSError as error:
            self._remove_groups()
            raise Unsupported(f"no control group can be made: {error}") from error
        self.metrics = f"cgroup:{self.groups[-1]}"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"

        def enter_group():
            for group in self.groups:
                _write(group / "cgroup.procs", str(os.getpid()))

        self.process = subprocess.Popen(
            self.command, env={**os.environ, "PORT": str(port), "HOST": "127.0.0.1"}, preexec_fn=enter_group
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        sys.exit(f"{self.command} does not listen within {START_SECONDS} s")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._remove_groups()

    def _remove_groups(self):
        for group in self.groups:
            for _ in range(100):
                try:
                    group.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)
