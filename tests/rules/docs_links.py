"""Links between the documents lead somewhere: files and headings exist, and so do the `make` targets named."""

import pathlib
import re
import subprocess
import sys


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def broken_links(file, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        full = (file.parent / path) if path else file
        if not full.exists():
            yield f"{file}: link to {target}: no such file"
        elif anchor and full.suffix == ".md" and anchor not in anchors(full.read_text()):
            yield f"{file}: link to {target}: no such heading"


here = pathlib.Path("README.md")
assert list(broken_links(here, "[a](nowhere.md)")) and list(broken_links(here, "[a](README.md#no-such-heading)"))
assert not list(broken_links(here, "[a](README.md), [b](https://example.com), `[c](nowhere.md)`"))

targets = set(re.findall(r"^([a-z-]+):", pathlib.Path("Makefile").read_text(), re.M))
listed = subprocess.run(["tools/list-files", "*.md"], check=True, capture_output=True, text=True)
files = [pathlib.Path(name) for name in listed.stdout.splitlines()]
failures = []
for file in files:
    text = file.read_text()
    failures += broken_links(file, text)
    for target in re.findall(r"`make ([a-z-]+)", text):
        if target not in targets:
            failures.append(f"{file}: there is no `make {target}`")
for failure in failures:
    print(failure)
if failures or not files:
    sys.exit(1)
print(f"docs_links: {len(files)} documents")
