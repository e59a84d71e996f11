"""A service that costs processor time: it multiplies two random square matrices for whoever asks.

GET / is a form, POST / with `dim=100&Multiply=` (10 to 1000) multiplies and answers with the seconds it
took, GET /health is for health checks. Nothing is cached: each request costs the same again.

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

FORM = f"""<!doctype html><title>Matrix multiplication</title>
<form method=post><label>Dimension <input name=dim value={DIM_DEFAULT} type=number min={DIM_LEAST} max={DIM_MOST}>
</label> <button name=Multiply>Multiply</button></form>
"""


def multiplied_seconds(dim: int) -> float:
    """Multiplies two fresh random matrices of `dim` by `dim` numbers; the processor time it took."""
    began = time.process_time()
    left = [[random.random() for _ in range(dim)] for _ in range(dim)]
    right = [[random.random() for _ in range(dim)] for _ in range(dim)]
    columns = list(zip(*right))
    for row in left:
        for column in columns:
            sum(map(float.__mul__, row, column))
    return time.process_time() - began


def answer(method: str, path: str, body: bytes) -> tuple[int, str]:
    """Status and page of a request."""
    path = path.split("?", 1)[0]
    if path in ("/health", "/static/health.html"):
        return 200, "fine\n"
    if path != "/":
        return 404, "there is only /\n"
    if method in ("GET", "HEAD"):
        return 200, FORM
    if method != "POST":
        return 405, "GET or POST\n"
    fields = urllib.parse.parse_qs(body.decode("utf-8", "replace"))
    text = fields.get("dim", [str(DIM_DEFAULT)])[0]
    if not text.isdecimal() or not DIM_LEAST <= int(text) <= DIM_MOST:
        return 400, f"dim is a number from {DIM_LEAST} to {DIM_MOST}\n"
    return 200, f"{multiplied_seconds(int(text)):.6f} seconds\n"


def application(environ, start_response):
    """WSGI."""
    length = min(int(environ.get("CONTENT_LENGTH") or 0), BODY_MOST)
    body = environ["wsgi.input"].read(length) if length else b""
    status, page = answer(environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/", body)
    payload = page.encode()
    start_response(
        f"{status} {http.server.BaseHTTPRequestHandler.responses[status][0]}",
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(payload)))],
    )
    return [payload]


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
        status, page = answer(self.command, self.path, body)
        payload = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
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
