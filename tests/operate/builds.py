#!/usr/bin/python3
"""Builds: whom they run as, and that none goes on for which nobody waits: after kill -9 of the daemon, after Ctrl-C of the
command that wanted it, and while its environment is taken down.

usage: builds.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, World, is_able  # noqa: E402

# It has processes of its own, one of them in a session of its own, and would take longer than any patience.
ENDLESS = "setsid sleep 12345 & sleep 12345; echo never > version.txt"


def expect(condition, what):
    if not condition:
        sys.exit(f"builds: {what}")


def served(world):
    with urllib.request.urlopen(world.url, timeout=5) as answer:
        return answer.read().decode().strip()


def set_build(world, command):
    file = world.folder / "headroom.yaml"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("    build:")]
    place = next(number for number, line in enumerate(lines) if line.startswith("    source:"))
    lines.insert(place + 1, f"    build: '{command}'")
    file.write_text("\n".join(lines) + "\n")


def builders(world):
    """The processes of builds of this world, root's among them; who has emptied its environment is of another test."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(one.startswith(f"HEADROOM_BUILD={world.state}/".encode()) for one in variables):
            found.append(int(folder.name))
    return found


def sleepers(world):
    """Those of ENDLESS, by what they are, wherever they went."""
    found = []
    for pid in builders(world):
        try:
            if b"12345" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            pass
    return found


def begin(world, *words):
    """A command that builds, once its build is under way."""
    started = subprocess.Popen([world.program, *map(str, words)], cwd=world.root, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "HEADROOM_STATE": str(world.state)})
    world.wait(lambda: len(sleepers(world)) == 2, f"the build of {words[0]} is under way")
    return started


def gone(world, after):
    world.wait(lambda: not builders(world), f"the build has ended after {after}", 20)
    print(f"after {after}: no build goes on", flush=True)


def runs_as_nobody_else(world):
    set_build(world, "id -u > version.txt; id -G >> version.txt; grep CapEff /proc/self/status >> version.txt; "
                     "ps ax > processes.txt; kill -0 1 2>> version.txt; exit 0")
    world.up()
    user, groups, rights, *rest = served(world).split("\n")
    expect(user == "64999" and groups == "64999", f"the build ran as user {user} of groups {groups}")
    expect(int(rights.split()[1], 16) == 0, f"the build had rights: {rights}")
    expect(rest, "the build could send a signal to a process of root")
    # What it has written is the image's, which nobody can change any more.
    (file,) = world.state.glob("images/*/app/version.txt")
    expect(file.stat().st_uid == 0 and file.stat().st_mode & 0o777 == 0o444, "the image stays the builder's")
    print("a build runs as a user that owns nothing, without rights", flush=True)


def main():
    if not is_able():
        print("builds: needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(sys.argv[1]) as world:
        runs_as_nobody_else(world)
        before = served(world)

        # Ctrl-C of a deploy: what serves goes on, and the next deploy has nothing to wait for.
        set_build(world, ENDLESS)
        deploy = begin(world, "deploy", world.folder)
        deploy.send_signal(signal.SIGINT)
        deploy.wait(timeout=30)
        gone(world, "Ctrl-C of a deploy")
        expect(served(world) == before, "the version before does not serve any more")

        # kill -9 of the daemon.
        deploy = begin(world, "deploy", world.folder)
        world.kill_daemon()
        deploy.wait(timeout=30)
        gone(world, "kill -9 of the daemon")
        expect(served(world) == before, "the version before does not serve any more")
        expect(world.headroom("status", check=False).returncode == 0, "the status cannot be seen")

        # `down` from elsewhere: neither waits for the build.
        deploy = begin(world, "up", world.folder, "-d")
        world.headroom("down")
        error = deploy.communicate(timeout=30)[1]
        expect(deploy.returncode == 3 and "nobody waits" in error, f"up ended with {deploy.returncode}: {error}")
        gone(world, "down")
        expect(world.environment() is None, "it is not down")

        # Ctrl-C of `up` in the foreground, which takes down what it began.
        up = begin(world, "up", world.folder)
        up.send_signal(signal.SIGINT)
        up.wait(timeout=60)
        expect(up.returncode == 0, f"up ended with {up.returncode}")
        gone(world, "Ctrl-C of up")
        expect(world.environment() is None, "it is not down")


if __name__ == "__main__":
    main()
