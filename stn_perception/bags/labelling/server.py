# SPDX-License-Identifier: Apache-2.0
"""The local web server: the page's own files, the frames, the labels and the edits."""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from stn_perception.bags.errors import BagError
from stn_perception.bags.labelling.access import Access
from stn_perception.bags.labelling.frames import CameraFrames
from stn_perception.bags.labelling.session import LabellingSession
from stn_perception.messages.outcomes import MessageError

PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_MOST_BYTES = 1 << 20
# Nothing from anywhere else runs, is shown or is asked, and nobody shows the page in theirs.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Shown:
    """What the page tells about the recording.

    Attributes:
        bag: The bag's name.
        topic: The image topic.
        step: By how many frames the page steps.
    """

    bag: str
    topic: str
    step: int


class LabelServer(ThreadingHTTPServer):
    """Serves one session.

    Args:
        host: Address or name to bind to.
        port: Port; 0 for a free one.
        session: The labels.
        frames: The pictures.
        shown: What the page tells.

    Raises:
        BagError: The address cannot be bound to.
    """

    daemon_threads = True

    def __init__(
        self, host: str, port: int, session: LabellingSession, frames: CameraFrames, shown: Shown
    ) -> None:
        self.session, self.frames, self.shown = session, frames, shown
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), LabelHandler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error).rstrip(".")
            raise BagError(f"no server can listen on {host}, port {port}: {reason}.") from error
        self.access = Access(host, int(self.server_address[1]))

    def server_bind(self) -> None:
        """Bind without asking a name server who this machine is: it may be offline."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a browser went away in the middle of an answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def about(self) -> dict[str, Any]:
        """What the page needs once."""
        stamps = self.session.stamps_ns
        return {
            "bag": self.shown.bag,
            "topic": self.shown.topic,
            "camera": self.session.camera,
            "output": str(self.session.path),
            "step": self.shown.step,
            "times_s": [round((stamp - stamps[0]) / 1e9, 4) for stamp in stamps],
        }


class LabelHandler(BaseHTTPRequestHandler):
    """One connection of the page."""

    server: LabelServer
    protocol_version = "HTTP/1.1"
    server_version = "stn"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer with a file of the page, a frame, or labels."""
        match self._parts():
            case [""]:
                self._send_file("index.html")
            case ["page", name]:
                self._send_file(name)
            case ["about"]:
                self._send_json(self.server.about())
            case ["state"]:
                self._send_json(self.server.session.state())
            case ["frames", number, what] if what in ("labels", "picture"):
                self._send_frame(number, what)
            case None:
                pass  # refused already
            case _:
                self._refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")

    def do_POST(self) -> None:
        """Do one edit and answer with all that it changed."""
        parts = self._parts()
        if parts is None:
            return
        if parts != ["edits"]:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
            return
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json":
            self.close_connection = True
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "An edit is application/json.")
            return
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._refuse(HTTPStatus.BAD_REQUEST, f"An edit has at most {_MOST_BYTES} bytes.")
            return
        session = self.server.session
        try:
            asked = json.loads(self.rfile.read(int(length)))
            number, shown = int(asked["number"]), self._number(str(asked["shown"]))
            session.edit(asked["edit"], str(asked["sender"]), number)
        except (KeyError, TypeError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"The request is no edit: {error}.")
        except ValueError as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"{str(error).rstrip('.')}.")
        else:
            self._send_json({"state": session.state(), "labels": session.frame(shown)})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the page says what goes wrong."""

    def _parts(self) -> list[str] | None:
        """The parts of the path below the token; None, answered, where the request is refused."""
        access = self.server.access
        refusal = access.refusal(self.headers.get("Host", ""), self.headers.get("Origin"))
        below = access.path_below(self.path.partition("?")[0])
        if below is None and not refusal:
            refusal = "Open the whole address that `stn label` printed."
        if refusal or below is None:
            self.close_connection = True  # a body that is not read must not be taken for a request
            self._refuse(HTTPStatus.FORBIDDEN, refusal)
            return None
        return below.split("/")

    def _number(self, text: str) -> int:
        if not text.isdecimal() or int(text) >= len(self.server.frames):
            raise ValueError(f"there is no frame {text!r}")
        return int(text)

    def _send_frame(self, text: str, what: str) -> None:
        try:
            number = self._number(text)
        except ValueError as error:
            self._refuse(HTTPStatus.NOT_FOUND, str(error))
            return
        if what == "labels":
            self._send_json(self.server.session.frame(number))
            return
        try:
            picture = self.server.frames.png(number)
        except (BagError, MessageError) as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
            return
        # The token changes with every start, so a kept picture is never another bag's.
        self._send(HTTPStatus.OK, "image/png", picture, cache="private, max-age=86400")

    def _send_file(self, name: str) -> None:
        path = PAGE / name
        if path.suffix not in _TYPES or not path.is_file() or path.parent != PAGE:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
            return
        kind = f"{_TYPES[path.suffix]}; charset=utf-8"
        self._send(HTTPStatus.OK, kind, path.read_bytes())

    def _send_json(self, content: object) -> None:
        self._send(HTTPStatus.OK, "application/json", json.dumps(content).encode())

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, "application/json", json.dumps({"problem": sentence}).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes, cache: str = "no-store") -> None:
        self.send_response(status)
        fixed = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": cache}
        for name, value in {**fixed, **_HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
