#!/usr/bin/python3
"""Scale-in, rolling deploy and rollback under 100 requests a second: not one may fail.

With --never-healthy, after them: a version that never becomes healthy is taken back, while the old one goes on serving.

usage: changes.py HEADROOM [--rounds 1] [--never-healthy]     (make test-slow: 10 rounds, and a version that is never healthy)
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import argparse
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, Requests, World, is_able  # noqa: E402


def served(world):
    with urllib.request.urlopen(world.url, timeout=5) as answer:
        return answer.read().decode()


def expect(condition, what):
    if not condition:
        sys.exit(f"changes: {what}")


def without_loss(world, what, change):
    requests = Requests(world)
    time.sleep(1)
    change()
    time.sleep(1)
    sent, failed = requests.stop()
    print(f"{what}: {sent} requests, {failed} failed", flush=True)
    expect(sent > 100, f"{what}: only {sent} requests were sent")
    expect(failed == 0, f"{what}: {failed} of {sent} requests failed")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--never-healthy", action="store_true")
    arguments = parser.parse_args()
    if not is_able():
        print("changes: needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(arguments.program, instances=3) as world:
        world.up()
        expect(served(world) == "first", "the first version does not serve")
        for number in range(arguments.rounds):
            def scale_in():
                world.headroom("scale", "web", "2")
                world.wait(lambda: len(world.instances()) == 2 and not world.instances("draining"), "two serve")

            def deploy():
                world.write_version(f"version of round {number}")
                world.headroom("deploy", world.folder)
                expect(served(world) == f"version of round {number}", "the new version does not serve")

            def rollback():
                before = world.environment()["services"][0]
                world.headroom("rollback", "web")
                after = world.environment()["services"][0]
                expect(after["version"] == before["previous_version"], "it did not go back to the version before")

            without_loss(world, "scale-in", scale_in)
            without_loss(world, "deploy", deploy)
            without_loss(world, "rollback", rollback)
            world.headroom("scale", "web", "3")
            world.wait(lambda: len(world.instances()) == 3, "three serve")

        if not arguments.never_healthy:
            return
        before = served(world)
        version = world.environment()["services"][0]["version"]
        world.write_version("never healthy", healthy=False)

        def deploy_what_is_never_healthy():
            result = world.headroom("deploy", world.folder, check=False, timeout=300)
            expect(result.returncode == 3, f"a version that is never healthy was deployed: {result.returncode}")

        requests = Requests(world, seconds=280)
        deploy_what_is_never_healthy()
        sent, failed = requests.stop()
        print(f"never healthy: {sent} requests, {failed} failed", flush=True)
        expect(failed == 0, f"{failed} requests failed while a bad version was tried")
        expect(served(world) == before, "the old version does not serve any more")
        world.wait(lambda: world.environment()["services"][0]["version"] == version, "the old version is back")


if __name__ == "__main__":
    main()
