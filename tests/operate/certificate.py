#!/usr/bin/python3
"""`listen: {port, address, certificate}`: the balancer answers over TLS, and `up` brings a renewed certificate in.

usage: certificate.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import ssl
import subprocess
import sys
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, World, is_able  # noqa: E402


def make_certificate(folder, name):
    """`site.pem`, certificate and key in one file, and beside it the certificate, which clients are to trust."""
    key = folder / f"{name}.key"
    certificate = folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=shop",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    site = folder / "site.pem"
    site.write_text(certificate.read_text() + key.read_text())
    site.chmod(0o600)  # HAProxy reads it before it gives up its rights
    key.unlink()
    return certificate


def ask(world, trusted):
    """What is served over TLS, or why the client did not take the connection."""
    context = ssl.create_default_context(cafile=trusted)
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{world.port}/", context=context, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.URLError as error:
        return type(error.reason)


def main():
    if not is_able():
        print("certificate: needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(sys.argv[1], instances=1) as world:
        trusted = make_certificate(world.folder, "first")
        file = world.folder / "headroom.yaml"
        file.write_text(file.read_text().replace(
            f"listen: {world.port}", f"listen: {{port: {world.port}, address: 127.0.0.1, certificate: site.pem}}"))
        world.up()
        assert world.environment()["services"][0]["address"] == f"https://127.0.0.1:{world.port}"
        assert ask(world, trusted) == "first", ask(world, trusted)

        renewed = make_certificate(world.folder, "second")
        instances = [one["id"] for one in world.instances()]
        world.up()
        assert ask(world, renewed) == "first", ask(world, renewed)
        assert ask(world, trusted) is ssl.SSLCertVerificationError, "the old certificate is served"
        assert [one["id"] for one in world.instances()] == instances, "for a certificate no instance is replaced"

        # One that cannot be read is refused, and the other one goes on.
        (world.folder / "site.pem").write_text("no certificate\n")
        result = world.up(check=False)
        assert result.returncode == 2 and "site.pem" in result.stderr, (result.returncode, result.stderr)
        assert ask(world, renewed) == "first", ask(world, renewed)
    print("certificate: https is served, a renewed certificate too, and a bad one is refused")


if __name__ == "__main__":
    main()
