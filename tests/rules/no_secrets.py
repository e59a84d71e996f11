"""I11: no credentials in the repository; nor paths and hosts of the machine where it was written.

First it plants one of each and expects to find it: a rule that cannot fail is no rule.
"""

import pathlib
import re
import subprocess
import sys

# The planted examples below are put together from pieces, so that this file itself is clean.
RULES = {
    "an AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "an AWS secret key": r"(?i)aws_?secret_?(access_?)?key['\"]?\s*[:=]\s*['\"]?[A-Za-z0-9/+]{40}\b",
    "a private key": r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----",
    "a GitHub token": r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "an npm token": r"(\bnpm_[A-Za-z0-9]{36}\b|_authToken\s*=)",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "a password in a URL": r"\b[a-z][a-z0-9+]*://[^\s/:@'\"<>${}]+:[^\s/@'\"<>${}]+@",
    # A value that is a reference (file:, ssm:), a variable or a placeholder is not a secret.
    "a password": r"(?i)\b(password|passwd|api_?key|secret|token)['\"]?\s*[:=]\s*['\"](?!file:|ssm:|\$|<|\{)[^'\"\s]{8,}['\"]",
    "a path of somebody's machine": r"(?<![\w.])/(home|Users)/[a-z][\w.-]*/|(?<![\w./}])/(root|work)/[\w.]",
}
# A lock file may only point to the public registries.
LOCK_FILES = {"package-lock.json", ".npmrc", "pip.conf", "requirements.txt"}
REGISTRY = re.compile(r"https?://([\w.-]+)")
PUBLIC = {"registry.npmjs.org", "opencollective.com", "github.com", "pypi.org", "tidelift.com"}

PLANTED = {
    "an AWS access key": "id = AK" + "IAIOSFODNN7EXAMPLE",
    "an AWS secret key": "aws_secret_access" + "_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a private key": "-----BEGIN RSA PRIV" + "ATE KEY-----",
    "a GitHub token": "gh" + "p_" + "a1" * 18,
    "a Slack token": "xo" + "xb-1234567890-abc",
    "an npm token": "//reg" + "istry.npmjs.org/:_auth" + "Token=abc",
    "a JSON web token": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0.x",
    "a password in a URL": "post" + "gres://us" + "er:hunter22@db/x",
    "a password": "pass" + "word: " + "'correct-horse'",
    "a path of somebody's machine": "include /ho" + "me/anna/project/x.hpp",
}
INNOCENT = [
    "secrets: {DB_PASSWORD: file:./db.secret}",
    'api_key: "${API_KEY}"',
    "the workload/traffic.hpp header, and https://example.com/work/about",
    "password = os.environ['DB_PASSWORD']",
]


def findings(text):
    for name, expression in RULES.items():
        for match in re.finditer(expression, text):
            yield name, text.count("\n", 0, match.start()) + 1


def private_hosts(text):
    return sorted({host for host in REGISTRY.findall(text) if host not in PUBLIC})


failures = []
assert PLANTED.keys() == RULES.keys()
for name, text in PLANTED.items():
    if name not in [found for found, _ in findings(text)]:
        failures.append(f"the planted example of {name} was not found")
for text in INNOCENT:
    if found := list(findings(text)):
        failures.append(f"innocent text was refused as {found[0][0]}: {text}")
if private_hosts('"resolved": "https://npm.example.internal/x.tgz"') != ["npm.example.internal"]:
    failures.append("the planted registry host was not found")

files = subprocess.run(["tools/list-files"], check=True, capture_output=True, text=True).stdout.splitlines()
for file in files:
    content = pathlib.Path(file).read_bytes()
    if b"\0" in content[:8000]:
        continue
    text = content.decode("utf-8", errors="replace")
    failures += [f"{file}:{line}: {name}" for name, line in findings(text)]
    if pathlib.Path(file).name in LOCK_FILES and pathlib.Path(file).name != "package-lock.json":
        failures += [f"{file}: host {host}" for host in private_hosts(text)]
    elif pathlib.Path(file).name == "package-lock.json":
        resolved = "\n".join(re.findall(r'"resolved": "([^"]+)"', text))
        failures += [f"{file}: packages come from {host}, not a public registry" for host in private_hosts(resolved)]
for failure in failures:
    print(failure)
if failures or not files:
    sys.exit(1)
print(f"no_secrets: {len(PLANTED) + 1} planted examples found, {len(files)} files are clean")
