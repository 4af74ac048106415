"""A server with the parts of S3 that the storage of files uses: put, get and head of one object.

No network.
"""

import contextlib
import hashlib
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY, SECRET = "AKIDTESTS", "only-for-tests"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self._may():
            self.server.puts.append(self.path)
            self.server.objects[self.path] = content
            self._answer(200, etag=hashlib.md5(content).hexdigest())

    def do_GET(self):
        if not self._may():
            return
        content = self.server.objects.get(self.path)
        if content is None:
            self._answer(404, b"" if self.command == "HEAD" else b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, content, etag=hashlib.md5(content).hexdigest())

    do_HEAD = do_GET

    def _may(self):
        signed = f"Credential={KEY}/" in self.headers.get("Authorization", "")
        if not signed:
            self._answer(403, b"" if self.command == "HEAD" else b"<Error><Code>AccessDenied</Code></Error>")
        return signed

    def _answer(self, status, content=b"", etag=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", formatdate(usegmt=True))
        if etag:
            self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving():
    """The server, with its `objects` by path, the paths of its `puts`, and its `url`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.objects, server.puts = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
