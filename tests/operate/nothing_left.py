#!/usr/bin/python3
"""`headroom down` leaves nothing: after a clean run, kill -9 of the daemon, and kill -9 of everything; `up` works again.

Processes, network namespaces, interfaces, control groups, mounts and files before and after are compared.

usage: nothing_left.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import sys

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


if __name__ == "__main__":
    main()
