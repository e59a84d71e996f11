"""docs/reference/commands.md has a section for each command of `headroom --help`, and for no other."""

import pathlib
import re
import subprocess
import sys


def commands_of_help(text):
    listing = text.split("Subcommands:", 1)
    return re.findall(r"^  ([a-z][a-z-]*)\b", listing[1], re.M) if len(listing) == 2 else []


def commands_of_document(text):
    return re.findall(r"^## headroom ([a-z][a-z-]*)$", text, re.M)


def options_of_help(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)) - {"--help"}


# Both readings must see what they are there for.
assert commands_of_help("Usage\n\nSubcommands:\n  tune     search\n  check    a file\n") == ["tune", "check"]
assert commands_of_document("## headroom tune\n## Exit codes\n## headroom check\n") == ["tune", "check"]
assert options_of_help("  -s,--seed INT  the seed; see --json\n  -h,--help\n") == {"--seed", "--json"}

program = sys.argv[1]
document = pathlib.Path("docs/reference/commands.md").read_text()


def help_of(*command):
    return subprocess.run([program, *command, "--help"], check=True, capture_output=True, text=True).stdout


failures = []
real, documented = commands_of_help(help_of()), commands_of_document(document)
for name in sorted(set(real) - set(documented)):
    failures.append(f"docs/reference/commands.md has no section '## headroom {name}'")
for name in sorted(set(documented) - set(real)):
    failures.append(f"docs/reference/commands.md describes '{name}', which is no command")
for name in real:
    section = re.search(rf"^## headroom {name}\n(.*?)(?=^## |\Z)", document, re.M | re.S)
    text = help_of(name)
    if "Example" not in text:
        failures.append(f"headroom {name} --help shows no example")
    if section:
        for option in sorted(options_of_help(text)):
            if not re.search(rf"{option}(?![\w-])", section.group(1)):
                failures.append(f"docs/reference/commands.md, headroom {name}: {option} is not mentioned")
        for option in sorted(options_of_help(section.group(1)) - options_of_help(text)):
            failures.append(f"docs/reference/commands.md, headroom {name}: there is no option {option}")
for failure in failures:
    print(failure)
if failures or not real:
    sys.exit(1)
print(f"docs_commands: {len(real)} commands")
