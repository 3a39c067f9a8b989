"""
The machine on which nixos/tailscale-serve.sh runs here: a stand-in for `tailscale`, and a shell.

Owns the stand-in, whose answers are files that a test writes; judges nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.snapshots import ROOT

SCRIPT = ROOT / "nixos" / "tailscale-serve.sh"
# Prints the files that a test has put beside it, and notes what would have changed something.
TAILSCALE = r"""#!/bin/sh
here=$(dirname "$0")
case "$*" in
    "status --json --peers=false") at=status ;;
    "serve status --json") at=served ;;
    *)
        printf '%s\n' "$*" >> "$here/changes"
        at=said
        [ ! -e "$here/becomes" ] || mv "$here/becomes" "$here/served"
        ;;
esac
[ ! -e "$here/$at.hangs" ] || exec sleep 60
cat "$here/$at"
[ ! -e "$here/$at.fails" ] || exit 1
"""
# What hangs is not waited for as long as on a machine.
TIMEOUT = '#!/bin/sh\nshift 3\nexec {timeout} 0.3 "$@"\n'
RUNNING = {
    "BackendState": "Running",
    "Self": {"DNSName": "pi.example.ts.net."},
    "CertDomains": ["pi.example.ts.net"],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What one run said and asked to change."""

    status: int
    out: str
    error: str
    changes: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A machine with the stand-in for `tailscale`, and the shell that runs the script."""

    shell: str
    folder: Path

    def put(self, name: str, text: str) -> None:
        """Let the stand-in print *text* as its answer to *name*."""
        (self.folder / name).write_text(text)

    def run(self, action: str, **environ: str) -> Done:
        """Run the script."""
        given = {
            "PATH": f"{self.folder}:/usr/local/bin:/usr/bin:/bin",
            "PGMCP_SERVE_SCHEME": "https",
            "PGMCP_SERVE_PORT": "443",
            "PGMCP_SERVE_TARGET": "unix:/run/pgmcp.sock",
            **environ,
        }
        command = [self.shell, str(SCRIPT), action]
        done = subprocess.run(
            command, env=given, capture_output=True, text=True, check=False, timeout=30
        )
        changes = (self.folder / "changes").read_text().splitlines()
        return Done(status=done.returncode, out=done.stdout, error=done.stderr, changes=changes)


def installed(folder: Path, shell: str) -> Machine:
    """Return a machine that is logged in and serves nothing yet, with the stand-in in *folder*."""
    short = TIMEOUT.format(timeout=shutil.which("timeout"))
    for name, text in (("tailscale", TAILSCALE), ("timeout", short)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    found = Machine(shell=shell, folder=folder)
    found.put("status", json.dumps(RUNNING))
    found.put("served", "null\n")
    found.put("said", "")
    found.put("changes", "")
    return found
