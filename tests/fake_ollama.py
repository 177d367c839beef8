"""A fake Ollama: a real HTTP server on loopback that speaks /api/version, /api/tags, /api/ps and streaming /api/chat.

It is scripted by a queue of behaviours and keeps a history of requests; with an empty queue it answers well, from
the facts it finds in the prompt. The trap it avoids: a patched client, which proves nothing about sockets.
Run it by hand: `python tests/fake_ollama.py --port 0 --behave good` prints its address and serves until stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 16
FACT = re.compile(r"^(F\d+) (.+?): (.+?)(?: \((.+)\))?$", re.MULTILINE)
DIGEST = "sha256:46e0c10c039e019119339687c3c1757cc81b9da49709a3b3924863ba87ca666e"


def answer_from(prompt: str) -> dict[str, Any]:
    """A good answer: statements that repeat facts of the prompt and cite them."""
    facts = FACT.findall(prompt)

    def said(names: str, most: int = 3) -> list[dict[str, Any]]:
        found = [fact for fact in facts if re.search(names, fact[1])]
        return [
            {"text": f"The log gives for {label}: {value}" + (f", {extra}." if extra else "."), "facts": [number]}
            for number, label, value, extra in found[:most]
        ]

    some = said("attempts", 1)
    return {
        "headline": said("^failed attempts|^attempts", 1)[0],
        "executive_summary": said("^attempts$|accepted|failed attempts$|failed share of attempts", 4) or some,
        "user_behaviour": said("user|U1|duplicate") or some,
        "system_behaviour": said("minute|answer time|category|refused by") or some,
        "misconfiguration_signals": said("^signal") or some,
    }


class Exchange:
    """One /api/chat on its way: what was asked, and means to answer."""

    def __init__(self, handler: BaseHTTPRequestHandler, server: FakeOllama, request: dict[str, Any]) -> None:
        self.handler, self.server, self.request = handler, server, request
        self.prompt = "\n".join(message.get("content", "") for message in request["messages"])
        self._begun = False

    def plain(self, status: int, body: bytes, kind: str = "application/json") -> None:
        """An answer that is no stream."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def line(self, **part: Any) -> None:
        """One line of the stream."""
        if not self._begun:
            self._begun = True
            self.handler.send_response(200)
            self.handler.send_header("Content-Type", "application/x-ndjson")
            self.handler.send_header("Transfer-Encoding", "chunked")
            self.handler.end_headers()
        body = json.dumps({"model": self.request["model"], **part}).encode() + b"\n"
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))

    def piece(self, text: str) -> None:
        self.line(message={"role": "assistant", "content": text}, done=False)

    def pieces(self, text: str) -> None:
        for start in range(0, len(text), PIECE):
            self.piece(text[start : start + PIECE])

    def done(self, reason: str = "stop", tokens_out: int = 100, read_share: float = 1.0, load_s: float = 0.4) -> None:
        """The last line, with its counts, and the end of the stream."""
        self.line(
            message={"role": "assistant", "content": ""}, done=True, done_reason=reason,
            total_duration=3_000_000_000, load_duration=int(load_s * 1e9),
            prompt_eval_count=int(len(self.prompt) / 3.6 * read_share), prompt_eval_duration=600_000_000,
            eval_count=tokens_out, eval_duration=2_000_000_000,
        )
        self.end()

    def end(self) -> None:
        self.handler.wfile.write(b"0\r\n\r\n")

    def drop(self) -> None:
        """Break the connection where it stands."""
        self.handler.close_connection = True
        with contextlib.suppress(OSError):
            self.handler.connection.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the caller hangs up (True), the server stops or is released, or the time is over."""
        waited = 0.0
        while not self.server.released.is_set() and (seconds is None or waited < seconds):
            waited += 0.02
            readable, _, _ = select.select([self.handler.connection], [], [], 0.02)
            if readable and not self.handler.connection.recv(1, socket.MSG_PEEK):
                self.server.hung_up.set()
                return True
        return False


Behaviour = Callable[[Exchange], None]


def good(exchange: Exchange) -> None:
    """A whole answer whose figures are all in the facts."""
    exchange.pieces(json.dumps(answer_from(exchange.prompt)))
    exchange.done()


def slow_load(exchange: Exchange) -> None:
    """Nothing until `released` is set, as while a model is loaded; then a good answer."""
    if not exchange.wait():
        exchange.pieces(json.dumps(answer_from(exchange.prompt)))
        exchange.done(load_s=12.5)


def made_up(exchange: Exchange) -> None:
    """A good answer with a figure that no fact has, in one statement."""
    answer = answer_from(exchange.prompt)
    answer["executive_summary"].append({"text": "Another 98,765 attempts came in the night.", "facts": ["F2"]})
    exchange.pieces(json.dumps(answer))
    exchange.done()


def all_made_up(exchange: Exchange) -> None:
    """The right shape, with not one figure of the facts."""
    lie = [{"text": "Exactly 98,765 attempts were seen.", "facts": ["F2"]}]
    exchange.pieces(json.dumps(dict.fromkeys(answer_from(exchange.prompt), lie) | {"headline": lie[0]}))
    exchange.done()


def injected(exchange: Exchange) -> None:
    """Advice, a cause, a stranger's markup and a pseudonym instead of statements."""
    words = ("You should block PARTNER_API.", "It failed because of the release.", "See ![](http://evil.test/x).",
             "User u_0123456789abcdef did it.", "Everything was fine on DESKTOP_APP.")
    said = [{"text": text, "facts": ["F2"]} for text in words]
    exchange.pieces(json.dumps(answer_from(exchange.prompt) | {"user_behaviour": said}))
    exchange.done()


def invalid_json(exchange: Exchange) -> None:
    exchange.pieces("Sure! Here is the report you asked for: { headline")
    exchange.done()


def wrong_schema(exchange: Exchange) -> None:
    exchange.pieces(json.dumps({"title": "A day", "sections": []}))
    exchange.done()


def empty(exchange: Exchange) -> None:
    exchange.done(tokens_out=0)


def huge(exchange: Exchange) -> None:
    for _ in range(2_000):
        exchange.piece("x" * 200)
    exchange.done()


def length(exchange: Exchange) -> None:
    """Cut at num_predict, in the middle of the JSON."""
    text = json.dumps(answer_from(exchange.prompt))
    exchange.pieces(text[: len(text) // 2])
    exchange.done(reason="length")


def no_done(exchange: Exchange) -> None:
    """A whole answer and a clean end, but no last line."""
    exchange.pieces(json.dumps(answer_from(exchange.prompt)))
    exchange.end()


def cut(exchange: Exchange) -> None:
    """The connection breaks within the stream."""
    exchange.piece('{"headline"')
    exchange.drop()


def reset(exchange: Exchange) -> None:
    """The connection breaks before any answer."""
    exchange.drop()


def hang(exchange: Exchange) -> None:
    """Nothing at all, for ever."""
    exchange.wait()
    exchange.drop()


def hang_within(exchange: Exchange) -> None:
    """A first piece, then nothing."""
    exchange.piece('{"headline"')
    exchange.wait()
    exchange.drop()


def drip(exchange: Exchange) -> None:
    """One character after the other, never done."""
    with contextlib.suppress(OSError):
        while not exchange.wait(0.04) and not exchange.server.released.is_set():
            exchange.piece("x")
    exchange.drop()


def truncated(exchange: Exchange) -> None:
    """A good answer of a model that read a third of the prompt."""
    exchange.pieces(json.dumps(answer_from(exchange.prompt)))
    exchange.done(read_share=0.33)


def error_in_stream(exchange: Exchange) -> None:
    exchange.piece('{"headline"')
    exchange.line(error="an error was encountered while running the model")
    exchange.end()


def status_500(exchange: Exchange) -> None:
    exchange.plain(500, b'{"error":"llama runner process has terminated"}')


def status_500_list(exchange: Exchange) -> None:
    exchange.plain(500, b'["out of memory"]')


def status_503(exchange: Exchange) -> None:
    exchange.plain(503, b'{"error":"server busy, please try again. maximum pending requests exceeded"}')


def missing(exchange: Exchange) -> None:
    exchange.plain(404, b'{"error":"model not found"}')


def html(exchange: Exchange) -> None:
    exchange.plain(200, b"<html>It works</html>", "text/html")


BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.__name__: behaviour
    for behaviour in (
        good, slow_load, made_up, all_made_up, injected, invalid_json, wrong_schema, empty, huge, length, no_done, cut,
        reset, hang, hang_within, drip, truncated, error_in_stream, status_500, status_500_list, status_503, missing,
        html,
    )
}


class FakeOllama:
    """The server. `released` lets waiting behaviours go on; `hung_up` is set when a caller closed its connection."""

    def __init__(self, models: tuple[str, ...] = ("llama3.1:8b",), port: int = 0, version: str = "0.12.6") -> None:
        self.models = [
            {
                "name": name, "model": name, "size": 4_920_753_328, "digest": DIGEST,
                "modified_at": "2026-11-01T09:00:00Z",
                "details": {"family": "llama", "parameter_size": "8.0B", "quantization_level": "Q4_K_M"},
            }
            for name in models
        ]
        self.version = version
        self.history: list[dict[str, Any]] = []
        self.released, self.hung_up, self.asked = threading.Event(), threading.Event(), threading.Event()
        self.silent = False
        self.queue: deque[Behaviour] = deque()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def behave(self, *names: str) -> None:
        """Queue behaviours by name, one a chat."""
        self.queue.extend(BEHAVIOURS[name] for name in names)

    def __enter__(self) -> FakeOllama:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _handler(server: FakeOllama) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = {
                "/api/version": {"version": server.version},
                "/api/tags": {"models": server.models},
                "/api/ps": {"models": []},
            }
            exchange = Exchange(self, server, {"messages": []})
            if server.silent:
                exchange.wait()
                return exchange.drop()
            found = known.get(self.path)
            return exchange.plain(200 if found else 404, json.dumps(found or {"error": "not found"}).encode())

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if self.path != "/api/chat":
                self.send_error(404)
                return
            server.history.append(request)
            server.asked.set()
            behaviour = server.queue.popleft() if server.queue else good
            with contextlib.suppress(OSError):
                behaviour(Exchange(self, server, request))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


def _serve(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--model", action="append", help="a model to hold (default llama3.1:8b); repeatable")
    parser.add_argument("--behave", action="append", choices=sorted(BEHAVIOURS), default=[], help="queued, in order")
    asked = parser.parse_args(arguments)
    with FakeOllama(tuple(asked.model or ["llama3.1:8b"]), asked.port) as server:
        server.behave(*asked.behave)
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def urls() -> Iterator[str]:
    """The address of a fake that lives as long as the iterator; for fixtures elsewhere."""
    with FakeOllama() as server:
        yield server.url


if __name__ == "__main__":
    _serve(sys.argv[1:])
