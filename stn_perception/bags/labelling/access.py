# SPDX-License-Identifier: Apache-2.0
"""Who may talk to the local server: only the page that it served itself.

Another page in the same browser could send requests to a local port, also under a host name of
its own that it lets point here (DNS rebinding). So every address holds a random token, and
requests under a foreign host name or from a foreign origin are refused.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Access:
    """The rule for one server.

    Attributes:
        host: The address or name that it is bound to.
        port: Its port.
        token: First part of every path.
    """

    host: str
    port: int
    token: str = field(default_factory=new_token, repr=False)

    @property
    def url(self) -> str:
        """The page's address, for a browser on this machine."""
        host = "127.0.0.1" if _is_any(self.host) else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{self.token}/"

    def refusal(self, host_header: str, origin_header: str | None) -> str:
        """Why a request is refused, in one sentence; empty where it is not.

        Args:
            host_header: The request's ``Host``.
            origin_header: Its ``Origin``, where it has one.
        """
        if not self._is_ours(f"http://{host_header}"):
            return f"The host {host_header!r} is not this server's."
        if origin_header is not None and origin_header != f"http://{host_header}":
            return f"The origin {origin_header!r} is not this server's page."
        return ""

    def path_below(self, path: str) -> str | None:
        """What follows the token in a request's path; None where the token is not ours."""
        _, _, rest = path.partition("/")
        token, slash, below = rest.partition("/")
        known = secrets.compare_digest(token.encode(), self.token.encode())
        return below if known and slash else None

    def _is_ours(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.port:
            return False
        if host in {self.host.lower(), "localhost", "127.0.0.1", "::1"}:
            return True
        # Bound to every address: rebinding needs a name, so bare addresses are harmless.
        return _is_any(self.host) and (_is_address(host) or host == socket.gethostname().lower())


def _is_any(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
