"""The provider: a loopback server that answers with recordings.

The first step of a path is `<id>[@mode]`, and what is asked for below it does not matter. A mode is
a cut and any injections, joined by dots: `whole`, `event`, `rec` (the reads of the recorder), a
number of bytes, `drop` (half the events, then the connection closes); `keepalive`, `blank`,
`crlf`, `bom`. The last request of every id is kept, and how many there were."""

import collections
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from . import records

INJECTIONS = ("keepalive", "blank", "crlf", "bom")

# Headers of one connection, or that no longer fit the body.
NOT_REPLAYED = {
    "content-encoding", "content-length", "transfer-encoding", "connection", "set-cookie", "keep-alive", "alt-svc",
    "strict-transport-security", "date", "server", "report-to", "nel",
}  # fmt: skip

CONTENT_TYPES = {
    "sse": "text/event-stream",
    "eventstream": "application/vnd.amazon.eventstream",
    "json": "application/json",
}


class Server:
    """Serves until it is closed."""

    def __init__(self, known):
        """`known` maps ids to records, error entries or anything else with a status and a body."""
        self.known = known
        self.seen = {}
        self.times = collections.Counter()
        handler = type("Handler", (Handler,), {"server_of": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.http.request_queue_size = 256
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None
        self.http.server_bind()
        self.http.server_activate()
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        """Stops serving."""
        self.http.shutdown()
        self.http.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server_of = None

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_):
        """Says nothing: what was asked is kept, not printed."""

    def do_POST(self):
        """Answers with the recording that the path names."""
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        name, *rest = self.path.lstrip("/").split("/")
        name = unquote(name)
        identity, _, mode = name.partition("@")
        served = self.server_of
        served.seen[name] = {"path": "/".join(rest), "headers": dict(self.headers.items()), "body": sent}
        served.times[name] += 1
        record = served.known.get(identity)
        if record is None:
            self.send_response(599)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.replay(record, mode)

    do_GET = do_POST

    def replay(self, record, mode):
        cut, injected = modes(mode, record)
        body = inject(records.body(record), records.framing(record), injected)
        self.send_response(record["status"])
        kept = {name.lower(): value for name, value in record["response_headers"].items()}
        if "redacted" in kept.get("content-type", "redacted").lower():
            framing = records.framing(record) if record["is_stream"] else "json"
            kept["content-type"] = CONTENT_TYPES[framing]
        for name, value in kept.items():
            if name not in NOT_REPLAYED and "\n" not in value and "[REDACTED]" not in value:
                self.send_header(name, value.encode("latin-1", "ignore").decode("latin-1"))
        if cut == "whole":
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pieces = cuts(body, cut, record)
        together = 4096 if cut.isdigit() else 1
        for at in range(0, len(pieces), together):
            # Each piece is a chunk of its own; small ones share a write, the reader sees them apart.
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces[at : at + together]))
        if cut == "drop":
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")


def modes(mode, record):
    """Splits a mode into the cut and the injections."""
    words = [word for word in mode.split(".") if word]
    injected = [word for word in words if word in INJECTIONS]
    cut = next((word for word in words if word not in INJECTIONS), None)
    return cut or ("event" if record["is_stream"] else "whole"), injected


def cuts(body, cut, record):
    """Cuts a body into the pieces that are sent apart."""
    lengths = record.get("response_chunk_lens")
    if cut == "rec" and lengths:
        pieces, at = [], 0
        for length in lengths:
            pieces.append(body[at : at + length])
            at += length
        pieces.append(body[at:])
    elif cut.isdigit():
        pieces = [body[at : at + int(cut)] for at in range(0, len(body), int(cut))]
    else:
        pieces = events(body, records.framing(record))
        if cut == "drop":
            pieces = pieces[: max(1, len(pieces) // 2)]
            if len(pieces) == 1:
                pieces = [pieces[0][: len(pieces[0]) // 2]]
    return [piece for piece in pieces if piece]


def events(body, framing):
    """Cuts a body after each event."""
    if framing == "eventstream":
        pieces, at = [], 0
        while at + 4 <= len(body):
            total = max(16, int.from_bytes(body[at : at + 4], "big"))
            pieces.append(body[at : at + total])
            at += total
        return pieces
    if framing == "sse":
        return re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)", body)
    return body.splitlines(keepends=True)


def inject(body, framing, injected):
    """Adds to server-sent events what their grammar allows anywhere."""
    if framing != "sse":
        return b"\n         \n" + body if "blank" in injected and framing == "json" else body
    end = b"\r\n" if b"\r\n" in body else b"\n"
    pieces = [piece for piece in events(body, framing) if piece]
    if "keepalive" in injected:
        pieces = [b": keep-alive" + end + end + piece for piece in pieces]
    if "blank" in injected:
        pieces = [end + end + piece for piece in pieces]
    body = b"".join(pieces)
    if "crlf" in injected:
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return b"\xef\xbb\xbf" + body if "bom" in injected else body
