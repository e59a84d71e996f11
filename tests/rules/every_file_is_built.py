"""Every C++ file under src/ belongs to a module: a test or source that nobody compiles is worse than none."""

import pathlib
import subprocess
import sys

named = set()
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    module, _, _, *files = line.split()
    named.update(f"src/{module}/{file}" for file in files)

listed = subprocess.run(["tools/list-files", "src/*.cpp", "src/*.hpp"], check=True, capture_output=True, text=True)
present = set(listed.stdout.split())
orphans = sorted(present - named)
for file in orphans:
    print(f"{file} is in no add_module() of its folder's CMakeLists.txt")
if orphans or not present:
    sys.exit(1)
print(f"every_file_is_built: {len(present)} files")
