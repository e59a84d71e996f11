#!/usr/bin/python3
"""`up examples/matrix`: the reference application under gunicorn, in two zones, with its page; scaled, and taken down.

usage: matrix.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import pathlib
import shutil
import sys
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, World, is_able, machine, processes_with  # noqa: E402

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/matrix"


def page(world, body=None):
    with urllib.request.urlopen(world.url, data=body, timeout=30) as answer:
        return answer.read().decode()


def main():
    if not is_able():
        print("matrix: needs root and network namespaces")
        sys.exit(SKIPPED)
    before = machine()
    with World(sys.argv[1], name="matrix") as world:
        shutil.copytree(EXAMPLE, world.root / "matrix")
        world.folder = world.root / "matrix"
        file = world.folder / "headroom.yaml"
        text = file.read_text()
        assert "listen: 8080" in text
        file.write_text(text.replace("listen: 8080", f"listen: {world.port}"))
        world.up()
        assert '<form method="post"' in page(world)
        assert "40 × 40 took " in page(world, b"dim=40&Multiply=")

        world.headroom("scale", "web", "3")
        world.wait(lambda: len(world.instances()) == 3, "three serve")
        assert {one["zone"] for one in world.instances()} == {"a", "b"}
        assert "40 × 40 took " in page(world, b"dim=40&Multiply=")

        world.headroom("down")
        world.wait(lambda: not (machine() - before), f"this is left: {sorted(machine() - before)}", 20)
        left = [pid for pid in processes_with(str(world.root)) if pid not in world.daemons()]
        assert not left, f"processes are left: {left}"
        assert not list((world.state / "environments").iterdir())
    print("matrix: it is up, multiplies in two zones, is scaled and taken down")


if __name__ == "__main__":
    main()
