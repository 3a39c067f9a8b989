"""
Which boots there are: which evaluation's units, in which state of the machine, which tests.

Pure data; the tests' files are in `inside/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """
    Describe one boot.

    *snapshot* is a folder of tests/snapshots/nixos. *files* are written over the tree before it
    boots, by their paths in it. *parts* are the files of `inside/`, without `booted_`, in order.
    *is_debian*: nothing of the module is there; contrib/systemd/install is what is tested.
    """

    name: str
    snapshot: str
    parts: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    is_debian: bool = False

    @property
    def title(self) -> str:
        """Say what is tested."""
        return "contrib/systemd" if self.is_debian else f"the units of {self.snapshot}"


LOGGED_OUT = '{"BackendState": "NeedsLogin", "https": false, "serve": null}\n'
# As after a full disk or a wrong setting: it tries five times and gives up.
BROKEN = "[Service]\nExecStartPre=/usr/bin/test -e /etc/postgresql/is-mended\n"

BOOTS = (
    Boot(
        name="default",
        snapshot="default",
        parts=(
            "activation",
            "roles",
            "sandbox",
            "tailnet",
            "provision",
            "backup",
            "lifecycle",
            "postgresql",
            "settings",
        ),
    ),
    # Everything that a gateway waits for is late: PostgreSQL, and tailscale's login.
    Boot(
        name="late",
        snapshot="two-lines",
        parts=("late_postgresql", "late_tailscale"),
        files={
            "etc/systemd/system/postgresql.service.d/broken.conf": BROKEN,
            "var/lib/tailscale/stand-in.json": LOGGED_OUT,
        },
    ),
    # The file of the credential is not there yet.
    Boot(name="credentials", snapshot="credentials", parts=("credentials",)),
    # Debian as it is, with a checkout: its people follow docs/operations.md.
    Boot(name="contrib", snapshot="default", parts=("contrib", "choices"), is_debian=True),
)
