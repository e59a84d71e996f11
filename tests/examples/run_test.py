"""The runner of the examples finds what is wrong, and only that; tried with a program of three lines."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import tempfile
import unittest

path = pathlib.Path(__file__).with_name("run")
loader = importlib.machinery.SourceFileLoader("run", str(path))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)

DOCUMENT = {"summary": {"cpu_percent_max": 39.2260771, "instances_max": 11}, "best": {"parameters": {"out.add": 2}}, "front": [1, 2]}
PROGRAM = f"""#!/bin/sh
if [ "$1" = fail ]; then echo 'no such file' >&2; exit 2; fi
if [ "$1" = wait ]; then sleep 60; fi
echo '{json.dumps(DOCUMENT)}'
"""


class Runner(unittest.TestCase):
    def outcome(self, *runs, text=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "examples" / "one").mkdir(parents=True)
            (root / "examples" / "one" / "headroom.yaml").touch()
            if text is None:
                text = json.dumps({"runs": list(runs)})
            if text:
                (root / "examples" / "one" / "expected.json").write_text(text)
            program = root / "headroom"
            program.write_text(PROGRAM)
            program.chmod(0o755)
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = run.main([], root, program)
            return code, said.getvalue()

    def passes(self, **keys):
        code, said = self.outcome({"command": "simulate x", **keys})
        self.assertEqual(code, 0, said)

    def fails(self, expected, **keys):
        code, said = self.outcome({"command": "simulate x", **keys})
        self.assertEqual(code, 1, said)
        self.assertIn(expected, said)

    def test_values(self):
        self.passes(json={"/summary/cpu_percent_max": {"equal": 39.226077, "within": 1e-6}})
        self.fails("within", json={"/summary/cpu_percent_max": {"equal": 39.226077, "within": 1e-8}})
        self.passes(json={"/summary/instances_max": 11, "/best/parameters/out.add": 2, "/front/1": 2})
        self.fails("expected 12", json={"/summary/instances_max": 12})
        self.fails("expected '11'", json={"/summary/instances_max": "11"})
        self.fails("expected True", json={"/front/0": True})
        self.passes(json={"/summary/instances_max": {"from": 11, "to": 11}})
        self.fails("expected 12", json={"/summary/instances_max": {"from": 12}})
        self.fails("to 10", json={"/summary/instances_max": {"to": 10}})
        self.passes(json={"/front": {"length": 2}})
        self.fails("length", json={"/front": {"length": 3}})

    def test_absence(self):
        self.fails("is not there", json={"/summary/nothing": 1})
        self.fails("is not there", json={"/front/7": 1})
        self.passes(json={"/summary/nothing": {"present": False}})
        self.fails("expected it not to be", json={"/summary/instances_max": {"present": False}})

    def test_exit_codes_and_streams(self):
        self.fails("exit code 0, expected 1", exit_code=1)
        code, said = self.outcome({"command": "fail", "exit_code": 2, "stderr": ["no such file"]})
        self.assertEqual(code, 0, said)
        code, said = self.outcome({"command": "fail", "exit_code": 2, "stderr": ["all is well"]})
        self.assertEqual(code, 1, said)
        code, said = self.outcome({"command": "fail", "json": {"/x": 1}})
        self.assertIn("exit code 2, expected 0", said)
        self.assertIn("no JSON", said)

    def test_time_limit(self):
        code, said = self.outcome({"command": "wait", "exit_code": 0, "timeout_seconds": 0.2})
        self.assertEqual(code, 1)
        self.assertIn("did not end", said)

    def test_a_misspelt_expectation_fails(self):
        for broken, complaint in [
            ({"command": "x", "jsn": {}}, "unknown key 'jsn'"),
            ({"command": "x"}, "checks nothing"),
            ({"exit_code": 0}, "'command' is required"),
            ({"command": "x", "json": {"summary": 1}}, "no JSON Pointer"),
            ({"command": "x", "json": {"/a": {"equals": 1}}}, "unknown check 'equals'"),
            ({"command": "x", "json": {"/a": {"origin": "y"}}}, "checks nothing"),
            ({"command": "x", "json": {"/a": {"within": 1, "equal": "b"}}}, "needs a number"),
        ]:
            code, said = self.outcome(broken)
            self.assertEqual(code, 1, said)
            self.assertIn(complaint, said)
        self.assertIn("no expected.json", self.outcome(text="")[1])
        self.assertIn("no JSON", self.outcome(text="{")[1])
        self.assertIn("at least one run", self.outcome()[1])


unittest.main()
