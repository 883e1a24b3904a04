"""Real servers on 127.0.0.1 that take notices: HTTP (a webhook, Slack's) and SMTP."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What a web server was sent: path and body; `/refuse...` answers 403, `/slow...` after seconds."""

    port: int
    posts: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def web_server() -> Iterator[Web]:
    web = Web(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.posts.append((self.path, json.loads(body)))
            if self.path.startswith("/slow"):
                time.sleep(3)
            self.send_response(403 if self.path.startswith("/refuse") else 200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mail:
    """What a mail server was handed."""

    port: int
    messages: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[Mail]:
    from aiosmtpd.controller import Controller

    mail = Mail(free_port())

    class Handler:
        async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            mail.messages.append((envelope.mail_from, list(envelope.rcpt_tos), parsed))
            return "250 OK"

    controller = Controller(Handler(), hostname="127.0.0.1", port=mail.port)
    controller.start()
    try:
        yield mail
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
