"""
What systemd is told: that we listen, that we live, that we stop.

Owns one datagram socket; does nothing where nobody listens.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from datetime import timedelta

log = logging.getLogger("pgmcp")


class Supervisor:
    """
    Speak to who started the process, by the protocol of sd_notify(3).

    Without NOTIFY_SOCKET in *environ* every message is dropped.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._interval: timedelta | None = None
        is_meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit = environ.get("WATCHDOG_USEC", "")
        if is_meant and limit.isdecimal() and int(limit):
            # Half of the limit, as sd_watchdog_enabled(3) recommends.
            self._interval = timedelta(microseconds=int(limit)) / 2

    def tell(self, message: str) -> None:
        """Send one message, such as READY=1."""
        if not self._address:
            return
        # A leading @ stands for the NUL of the abstract namespace.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(0)  # never wait for who does not listen
                sender.sendto(message.encode(), address)
        except OSError as error:
            log.warning("systemd was not told %s: %s", message, error.strerror)

    async def keep_alive(self) -> None:
        """Tell for ever that the event loop turns; end at once where nobody watches."""
        while self._interval is not None and self._address:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self._interval.total_seconds())
