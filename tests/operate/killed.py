#!/usr/bin/python3
"""kill -9 of the daemon at any moment: what serves goes on, and the next start finishes or undoes what was half done.

usage: killed.py HEADROOM [--kills 3]     (more: make test-slow)
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import argparse
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from world import SKIPPED, Requests, World, is_able  # noqa: E402


def expect(condition, what):
    if not condition:
        sys.exit(f"killed: {what}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100000)
    arguments = parser.parse_args()
    if not is_able():
        print("killed: needs root and network namespaces")
        sys.exit(SKIPPED)
    print(f"seed {arguments.seed}")
    moments = random.Random(arguments.seed)
    with World(arguments.program) as world:
        world.up()
        for number in range(arguments.kills):
            requests = Requests(world)
            world.write_version(f"kill {number}")

            def deploy():
                # Whatever it says: the daemon dies meanwhile.
                try:
                    world.headroom("deploy", world.folder, check=False)
                except subprocess.TimeoutExpired:
                    pass

            deploying = threading.Thread(target=deploy)
            deploying.start()
            time.sleep(moments.uniform(0.0, 8.0))
            world.kill_daemon()
            deploying.join()
            world.up()  # the next one takes over, and goes on to what the folder says
            world.wait(lambda: len(world.instances()) == 2 and not world.instances("draining")
                       and not world.instances("launching"), "two instances serve")
            versions = {one["version"] for one in world.instances()}
            expect(len(versions) == 1, f"two versions serve: {versions} (seed {arguments.seed})")
            sent, failed = requests.stop()
            print(f"kill {number}: {sent} requests, {failed} failed", flush=True)
            expect(failed == 0, f"{failed} of {sent} requests failed (seed {arguments.seed})")

        # Two commands at once: one after the other, and nothing is corrupted.
        world.write_version("two at once")
        both = [threading.Thread(target=world.headroom, args=("deploy", world.folder)),
                threading.Thread(target=world.headroom, args=("scale", "web", "3"))]
        for one in both:
            one.start()
        for one in both:
            one.join()
        world.wait(lambda: len(world.instances()) == 3, "three instances serve")


if __name__ == "__main__":
    main()
