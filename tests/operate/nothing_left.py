#!/usr/bin/python3
"""`headroom down` leaves nothing: after a clean run, kill -9 of the daemon, kill -9 of everything, and a disk that was full
during a deployment; `up` works again.

Processes, network namespaces, interfaces, control groups, mounts and files before and after are compared.

usage: nothing_left.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import contextlib
import subprocess
import sys
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, World, is_able, machine, processes_with  # noqa: E402

# What a daemon keeps between environments: its own files, and versions that one may come back to.
KEPT = {"state.db", "state.db-wal", "state.db-shm", "daemon.lock", "daemon.log", "run", "environments", "isolation",
        "images", "artifacts"}


def expect(condition, what):
    if not condition:
        sys.exit(f"nothing_left: {what}")


def check_nothing(world, before, how):
    world.wait(lambda: not (machine() - before), f"after {how}, this is left: {sorted(machine() - before)}", 20)
    left = [pid for pid in processes_with(str(world.root)) if pid not in world.daemons()]
    expect(not left, f"after {how}, processes are left: {left}")
    names = {path.name for path in world.state.iterdir()}
    expect(names <= KEPT, f"after {how}, files are left: {names - KEPT}")
    environments = list((world.state / "environments").iterdir())
    expect(not environments, f"after {how}, folders of environments are left: {environments}")
    print(f"after {how}: nothing", flush=True)


@contextlib.contextmanager
def small_disk(folder):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0711", "headroom-test", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(file):
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as out:
        while out.write(b"x" * 65536) == 65536:
            pass
    with contextlib.suppress(OSError), file.open("ab", buffering=0) as out:
        while out.write(b"x"):
            pass


def full_disk(program):
    with World(program) as world, small_disk(world.state):
        before = machine()
        world.up()
        fill(world.state / "filler")
        world.write_version("does not fit" * 10000)
        result = world.headroom("deploy", world.folder, check=False)
        expect(result.returncode == 3, f"a deployment on a full disk ended with {result.returncode}: {result.stderr}")
        with urllib.request.urlopen(world.url, timeout=5) as answer:
            expect(answer.read() == b"first", "the old version does not serve on a full disk")
        (world.state / "filler").unlink()
        world.headroom("down")
        check_nothing(world, before, "a full disk")
        world.wait(lambda: not world.daemons(), "the daemon ends", 30)


def main():
    if not is_able():
        print("nothing_left: needs root and network namespaces")
        sys.exit(SKIPPED)
    before = machine()
    with World(sys.argv[1]) as world:
        def run(how, break_it):
            world.up()
            expect(len(world.instances()) == 2, f"before {how}: not two instances serve")
            break_it()
            world.headroom("down")
            check_nothing(world, before, how)

        run("a clean run", lambda: None)
        run("kill -9 of the daemon", world.kill_daemon)
        run("kill -9 of everything", world.kill_everything)
        run("another clean run", lambda: None)
        world.wait(lambda: not world.daemons(), "the daemon that `up` has started ends, as nothing is left", 30)
    full_disk(sys.argv[1])


if __name__ == "__main__":
    main()
