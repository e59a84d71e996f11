"""Pure modules refer to no clock, thread, file, socket, terminal, environment or global randomness.

Reads the undefined symbols of their archives with nm and compares them with banned_symbols.txt. First it
compiles one banned call after the other and expects to find each: a rule that cannot fail is no rule.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

PLANTED = {
    "clock": "#include <chrono>\nlong f() { return std::chrono::steady_clock::now().time_since_epoch().count(); }",
    "wall clock": "#include <ctime>\nlong f() { return static_cast<long>(time(nullptr)); }",
    "random device": "#include <random>\nunsigned f() { return std::random_device{}(); }",
    "rand": "#include <cstdlib>\nint f() { return rand(); }",
    "file stream": "#include <fstream>\nbool f() { return std::ifstream(\"x\").good(); }",
    "C file": "#include <cstdio>\nvoid* f() { return fopen(\"x\", \"r\"); }",
    "filesystem": "#include <filesystem>\nbool f() { return std::filesystem::exists(\"x\"); }",
    "socket": "#include <sys/socket.h>\nint f() { return socket(1, 1, 0); }",
    "thread": "#include <thread>\nvoid f() { std::thread([] {}).join(); }",
    "mutex": "#include <pthread.h>\nint f(pthread_mutex_t* m) { return pthread_mutex_lock(m); }",
    "environment": "#include <cstdlib>\nchar* f() { return getenv(\"HOME\"); }",
    "terminal": "#include <iostream>\nvoid f() { std::cout << 1; }",
    "C terminal": "#include <cstdio>\nvoid f() { std::fprintf(stdout, \"%d\", 1); }",
    "library mathematics": "#include <cmath>\ndouble f(double x) { return std::exp(x) + std::pow(x, x); }",
    "YAML file": "namespace YAML { struct Node {}; Node LoadFile(const char*); }\n"
    "YAML::Node f() { return YAML::LoadFile(\"x\"); }",
}
CLEAN = "#include <cmath>\n#include <string>\nstd::string f(double x) { return std::string(9, 'a') + (std::sqrt(x) > 1 ? 'b' : 'c'); }"


def read_rules(path):
    banned, allowed = [], set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("allow "):
            _, module, symbol, reason = line.split(None, 3)
            allowed.add((module, symbol))
            continue
        parts = re.split(r"\s{2,}", line)
        if len(parts) != 2:
            sys.exit(f"{path}:{number}: expected 'expression  what to use instead'")
        banned.append((re.compile(parts[0]), parts[1]))
    return banned, allowed


def undefined_symbols(nm, file):
    listing = subprocess.run([nm, "--undefined-only", "--demangle", str(file)], check=True, capture_output=True, text=True)
    found = []
    for line in listing.stdout.splitlines():
        match = re.match(r"\s+[Uwv] (.*)", line)
        if match:
            found.append(match.group(1).split("@")[0])
    return found


def offences(nm, file, module, banned, allowed):
    for symbol in sorted(set(undefined_symbols(nm, file))):
        for expression, instead in banned:
            if expression.fullmatch(symbol) and (module, symbol) not in allowed:
                yield f"{module} refers to {symbol}; use {instead}"


def self_test(compiler, nm, banned):
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        def compile_and_look(text):
            source, target = pathlib.Path(folder, "a.cpp"), pathlib.Path(folder, "a.o")
            source.write_text(text + "\n")
            subprocess.run([compiler, "-std=c++20", "-O1", "-c", source, "-o", target], check=True)
            return list(offences(nm, target, "planted", banned, set()))

        for name, text in PLANTED.items():
            if not compile_and_look(text):
                failures.append(f"the planted {name} was not found")
        if found := compile_and_look(CLEAN):
            failures.append(f"clean code was refused: {found}")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--nm", required=True)
    parser.add_argument("archives", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    banned, allowed = read_rules(pathlib.Path(__file__).with_name("banned_symbols.txt"))

    failures = self_test(arguments.compiler, arguments.nm, banned)
    for archive in arguments.archives:
        module = archive.stem.removeprefix("libheadroom_")
        failures += offences(arguments.nm, archive, module, banned, allowed)
    for failure in failures:
        print(failure)
    if failures:
        sys.exit(1)
    print(f"purity: {len(PLANTED)} planted calls found, {len(arguments.archives)} pure modules are clean")


main()
