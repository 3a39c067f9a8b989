"""
What the test scripts have in common.

Each script begins with this text, so it imports nothing of ours and knows no machine by name.
"""

import json
import shlex
from dataclasses import dataclass
from typing import Any

HANDLE_LENGTH = 25


def quoted(*calls: tuple[str, dict[str, object]]) -> str:
    """Return tools and their arguments as words for the shell."""
    words = [word for tool, arguments in calls for word in (tool, json.dumps(arguments))]
    return " ".join(shlex.quote(word) for word in words)


@dataclass(frozen=True)
class Gateway:
    """Hold the machine that runs the gateway; root there plays tailscaled."""

    machine: Any  # the test driver's own class

    def wait(self) -> None:
        """Wait until the machine has booted and the gateway has found PostgreSQL."""
        self.machine.wait_for_unit("multi-user.target")
        ready = "curl -sSf --unix-socket /run/pgmcp-local.sock http://localhost/ready"
        self.machine.wait_until_succeeds(ready, timeout=120)

    def call(self, tool: str, login: str = "ana@example.com", **arguments: object) -> str:
        """Call a tool as *login*; return its text."""
        return str(self.machine.succeed(self._command(tool, login, arguments)))

    def refusal(self, tool: str, login: str = "ana@example.com", **arguments: object) -> str:
        """Call a tool that has to refuse; return its text."""
        return str(self.machine.fail(self._command(tool, login, arguments)))

    def _command(self, tool: str, login: str, arguments: dict[str, object]) -> str:
        return f"pgmcp-call --login {login} unix:/run/pgmcp.sock {quoted((tool, arguments))}"

    def begin(self, mode: str) -> str:
        """Begin a transaction and return its handle."""
        words = self.call("pg_tx", action="begin", mode=mode).split()
        handles = (word for word in words if word.startswith("tx_"))
        return next(word for word in handles if len(word) == HANDLE_LENGTH)

    def page(self, options: str = "", socket: str = "/run/pgmcp.sock") -> tuple[str, str]:
        """Return status and text of the page for people, asked for with these options of curl."""
        ask = "curl -sS --max-time 20 -w '\\n%{http_code}' http://localhost/"
        told = str(self.machine.succeed(f"{ask} --unix-socket {socket} {options}"))
        text, status = told.rsplit("\n", 1)
        return status, text

    def psql(self, sql: str) -> str:
        """Return what PostgreSQL's superuser reads."""
        return str(self.machine.succeed(self._psql(sql))).strip()

    def wait_for_rows(self, sql: str, expected: str, timeout: int = 60) -> None:
        """Wait until a query returns what is expected."""
        test = f'test "$({self._psql(sql)})" = {shlex.quote(expected)}'
        self.machine.wait_until_succeeds(test, timeout=timeout)

    def _psql(self, sql: str) -> str:
        return f"runuser -u postgres -- psql -XAtq -d app -c {shlex.quote(sql)}"

    def pid(self) -> str:
        """Return the main process."""
        shown = self.machine.succeed("systemctl show --property MainPID --value pgmcp.service")
        return str(shown).strip()
