#!/usr/bin/python3
"""After a reboot `headroom daemon`, started as the unit starts it, brings the environment back, and `down` leaves nothing.

What a reboot does is done as far as it can be done beside others: every process is killed, network namespaces, interfaces,
routes, control groups and the folder of sockets are removed, and what was written down of processes is of another boot:
their numbers are those of others by now.

usage: reboot.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, World, is_able, machine, processes_with  # noqa: E402


class Traces:
    """What one state folder has on this machine, by the names that it carries: nothing of anybody else."""

    def __init__(self, state):
        cell = json.loads(next((state / "isolation/cells").glob("*/cell")).read_text())
        self.realm = pathlib.Path(cell["group"][0]).parent.name.removeprefix("headroom-")
        self.block = f"10.{(state / 'isolation/block').read_text().strip()}.0.0/16"

    def list(self):
        found = {tuple(line.split(" ", 1)) for line in machine()
                 if f"headroom-{self.realm}" in line or f"hr-{self.realm}" in line}
        routes = subprocess.run(["ip", "route", "show", "exact", self.block], capture_output=True, text=True, check=True)
        return found | {("route", line) for line in routes.stdout.splitlines()}

    def remove(self):
        for name in (name for kind, name in self.list() if kind == "netns"):
            subprocess.run(["ip", "netns", "delete", name], check=True)
        # The cables go with the namespaces, in their own time.
        for name in (name.rstrip(":") for kind, name in self.list() if kind == "link" and "@" not in name):
            subprocess.run(["ip", "link", "delete", name], check=True)
        for folder in (pathlib.Path(folder) for kind, folder in self.list() if kind == "cgroup"):
            for group in (*(one for one in folder.iterdir() if one.is_dir()), folder):
                group.rmdir()
        subprocess.run(["ip", "route", "delete", "blackhole", self.block], check=True)


def served(world):
    try:
        with urllib.request.urlopen(world.url, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None


def reboot(world, traces):
    assert {kind for kind, _ in traces.list()} == {"netns", "link", "cgroup", "mount", "route"}, traces.list()
    world.kill_everything()
    traces.remove()
    world.wait(lambda: not traces.list(), f"the reboot has removed {sorted(traces.list())}", 20)
    shutil.rmtree(world.state / "run")
    # This process has the number that an instance, or a balancer, had.
    own = pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    processes = list((world.state / "isolation/cells").glob("*/process"))
    assert len(processes) == 2, processes
    for file in processes:
        file.write_text(f"{os.getpid()} {own[19]} 00000000-0000-0000-0000-000000000000\n")
    (world.state / f"environments/{world.name}/balancers/web/haproxy.pid").write_text(f"{os.getpid()}\n")


def main():
    if not is_able():
        print("reboot: needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(sys.argv[1]) as world:
        world.up()
        earlier = {one["id"] for one in world.instances()}
        assert len(earlier) == 2 and served(world) == "first"
        traces = Traces(world.state)
        reboot(world, traces)
        assert served(world) is None

        with (world.root / "daemon.log").open("w") as log:
            daemon = subprocess.Popen([world.program, "daemon"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                      env={"PATH": os.environ["PATH"], "HEADROOM_STATE": str(world.state)})
        try:
            world.wait(lambda: daemon.poll() is not None or world.daemons() and served(world) == "first",
                       "the service is back")
            world.wait(lambda: len(world.instances()) == 2, "two instances serve")
            assert not earlier & {one["id"] for one in world.instances()}
            assert not world.environment()["hindrances"], world.environment()["hindrances"]
            world.headroom("scale", "web", "3")
            world.wait(lambda: len(world.instances()) == 3, "three instances serve")

            world.headroom("down")
            assert not traces.list(), f"this is left: {traces.list()}"
            left = [pid for pid in processes_with(str(world.root)) if pid != daemon.pid]
            assert not left, f"processes are left: {left}"
            assert not list((world.state / "environments").iterdir())
            assert daemon.poll() is None, "the unit's daemon stays"
        except AssertionError:
            print((world.root / "daemon.log").read_text())
            raise
        finally:
            daemon.terminate()
            daemon.wait(timeout=20)
    print("reboot: the environment is back by itself, and down leaves nothing")


if __name__ == "__main__":
    main()
