"""docs/architecture.md names exactly the modules that exist, with their rows, and what comes later."""

import pathlib
import re
import sys

document = pathlib.Path("docs/architecture.md").read_text()
failures = []


def table(heading):
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", document, re.M | re.S)
    if not section:
        sys.exit(f"docs/architecture.md has no section '{heading}'")
    rows = {}
    for line in section.group(1).splitlines():
        match = re.match(r"\| `(\w+)` \| (\d)( pure)? \| .+ \|$", line)
        if match:
            rows[match[1]] = (int(match[2]), bool(match[3]))
    if not rows:
        sys.exit(f"docs/architecture.md, '{heading}': no rows of the form | `module` | row [pure] | holds |")
    return rows


now, later = table("Modules"), table("Later")
built = {}
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    name, row, pure, *_ = line.split()
    built[name] = (int(row), pure == "TRUE")
folders = {path.name for path in pathlib.Path("src").iterdir() if path.is_dir()}


def words(module):
    return f"row {module[0]}{' pure' if module[1] else ''}"


for name, module in built.items():
    if name in now and now[name] != module:
        failures.append(f"docs/architecture.md says {name} is {words(now[name])}; add_module says {words(module)}")
for name in sorted(folders - now.keys()):
    failures.append(f"src/{name} is missing in the table of modules of docs/architecture.md")
for name in sorted(now.keys() - folders):
    failures.append(f"docs/architecture.md lists {name} among the modules, but there is no src/{name}")
for name in sorted(folders & later.keys()):
    failures.append(f"src/{name} exists; move it from 'Later' to 'Modules' in docs/architecture.md")
for failure in failures:
    print(failure)
if failures or not built:
    sys.exit(1)
print(f"docs_modules: {len(now)} modules now, {len(later)} later")
