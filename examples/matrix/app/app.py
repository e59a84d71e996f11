"""A service that costs processor time: it multiplies two random square matrices for whoever asks.

GET / is a form, POST / with `dim=100&Multiply=` (10 to 1000) multiplies and answers with the seconds it
took, GET /health and /static/health.html are for health checks. Nothing is cached: each request costs the
same again.

`application` is WSGI, for gunicorn and its like; `python3 app.py --port 8080` serves by itself, each
connection in a thread of its own, with nothing but the standard library.
"""

import argparse
import http.server
import os
import random
import socketserver
import sys
import time
import urllib.parse

DIM_LEAST, DIM_MOST, DIM_DEFAULT = 10, 1000, 100
BODY_MOST = 10_000

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Matrix multiplication</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
  body {{ max-width: 34rem; margin: 3rem auto; padding: 0 1rem }}
  form {{ display: flex; flex-wrap: wrap; gap: .75rem; align-items: end }}
  label {{ flex: 1 1 12rem }}
  input, button {{ box-sizing: border-box; font: inherit; padding: .5rem .75rem; border-radius: .4rem }}
  input {{ display: block; width: 100%; border: 1px solid #888 }}
  button {{ border: 1px solid #1f5fbf; background: #1f5fbf; color: #fff; cursor: pointer }}
  output {{ display: block; margin-top: 1.5rem; font-size: 1.25rem }}
  output:empty {{ display: none }}
  small {{ display: block; margin-top: 1.5rem }}
</style>
<h1>Matrix multiplication</h1>
<p>Multiplies two fresh random square matrices each time you ask, and tells how long that took.</p>
<form method="post" action="/">
  <label>Rows and columns ({least} to {most})
    <input name="dim" type="number" value="{dim}" min="{least}" max="{most}" required></label>
  <button name="Multiply">Multiply</button>
</form>
<output>{result}</output>
<small>Twice the rows take eight times as long; {most} take minutes.</small>
</html>
"""


def multiplied_seconds(dim: int) -> float:
    """Multiplies two fresh random matrices of `dim` by `dim` numbers; the time it took, as whoever waits sees it."""
    began = time.perf_counter()
    left = [[random.random() for _ in range(dim)] for _ in range(dim)]
    right = [[random.random() for _ in range(dim)] for _ in range(dim)]
    columns = list(zip(*right))
    for row in left:
        for column in columns:
            sum(map(float.__mul__, row, column))
    return time.perf_counter() - began


def page(dim: int, result: str) -> str:
    return PAGE.format(least=DIM_LEAST, most=DIM_MOST, dim=dim, result=result)


def answer(method: str, path: str, body: bytes) -> tuple[int, str]:
    """Status and page of a request."""
    path = path.split("?", 1)[0]
    if path in ("/health", "/static/health.html"):
        return 200, "fine\n"
    if path != "/":
        return 404, "there is only /\n"
    if method in ("GET", "HEAD"):
        return 200, page(DIM_DEFAULT, "")
    if method != "POST":
        return 405, "GET or POST\n"
    fields = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
    text = fields.get("dim", [str(DIM_DEFAULT)])[0]
    if not (text.isascii() and text.isdecimal() and len(text) < 6) or not DIM_LEAST <= int(text) <= DIM_MOST:
        return 400, page(DIM_DEFAULT, f"Rows and columns are a number from {DIM_LEAST} to {DIM_MOST}.")
    dim = int(text)
    return 200, page(dim, f"{dim} × {dim} took {multiplied_seconds(dim):.6f} seconds")


def headers_of(payload: bytes) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(payload))),
        ("Cache-Control", "no-store"),
    ]


def application(environ, start_response):
    """WSGI."""
    length = environ.get("CONTENT_LENGTH") or "0"
    body = environ["wsgi.input"].read(min(int(length), BODY_MOST)) if length.isdecimal() else b""
    status, text = answer(environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/", body)
    payload = text.encode()
    start_response(f"{status} {http.server.BaseHTTPRequestHandler.responses[status][0]}", headers_of(payload))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [payload]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def respond(self):
        length = self.headers.get("Content-Length", "0")
        body = b""
        if length.isdecimal() and int(length) <= BODY_MOST:
            body = self.rfile.read(int(length))
        else:
            self.close_connection = True
        status, text = answer(self.command, self.path, body)
        payload = text.encode()
        self.send_response(status)
        for name, value in headers_of(payload):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = respond  # noqa: N815, the names of http.server

    def log_message(self, *_):
        """A line for each request would cost as much as the request."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """Whoever does not wait for an answer closes the connection; everything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="serves matrix multiplications")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")))
    arguments = parser.parse_args()
    with Server((arguments.host, arguments.port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
