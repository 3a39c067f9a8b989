"""What the gateway's own unit denies, tried from inside of it, and beside it as a control."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.boot.inside.machine import TRANSIENT, run, systemctl

PROBE = Path(__file__).with_name("probe.py")
ANSWER = Path("/run/probe.json")
MOST_EXPOSED = 1.5
# Of the gateway's own life, not of its sandbox.
OTHERS = re.compile(
    r"^(#|Exec|Type=|NotifyAccess=|Watchdog|Restart|Sockets=|Kill|Timeout|After=|Wants=|WantedBy=)"
)
type_of_outcomes = Mapping[str, str]

# What is tried, what has to come of it inside, and what outside, as root; kernels differ by |.
DENIED = [
    ("write /etc", "EROFS", "ok"),
    ("write /var", "EROFS", "ok"),
    ("write /run", "EROFS", "ok"),
    ("write /run/lock", "EROFS", "ok"),
    ("write shared memory", "EACCES|EROFS", "ok"),
    ("write the store", "EROFS", "ok"),
    ("list /home", "EACCES", "ok"),
    ("list /root", "EACCES", "ok"),
    ("read password hashes", "EACCES", "ok"),
    ("read the database's files", "EACCES", "ok"),
    ("set a kernel tunable", "ENOENT", "ok"),
    ("read kernel messages", "ENOENT", "ok"),
    ("make a control group", "EROFS", "ok"),
    ("see other processes", "none", "some"),
    ("signal PID 1", "EPERM", "ok"),
    ("open IPv4", "EAFNOSUPPORT", "ok"),
    ("open IPv6", "EAFNOSUPPORT", "ok"),
    ("open netlink", "EAFNOSUPPORT", "ok"),
    ("make a namespace", "EPERM", "ok"),
    ("become root", "EPERM", "ok"),
    ("change the host's name", "EPERM", "ok"),
    ("take real time", "EPERM", "ok"),
    ("change its personality", "EPERM", "ok"),
    ("run written memory", "EACCES|EPERM", "ok"),
    ("make a setuid file", "EPERM", "ok"),
    ("mount", "EPERM", "EFAULT"),
    ("reboot", "EPERM", "EINVAL"),
    ("load a kernel module", "EPERM", "EFAULT|ENOSYS"),
    ("load another kernel", "EPERM", "EINVAL|ENOSYS"),
    ("swap", "EPERM", "EFAULT"),
    ("load a BPF program", "EPERM", "E2BIG|EINVAL|ENOSYS"),
    ("measure the processor", "EPERM", "EFAULT"),
    ("trace a process", "EPERM", "ESRCH"),
]


@pytest.fixture(scope="module")
def inside() -> type_of_outcomes:
    """Run the probe in a unit that differs from the gateway's only in its program."""
    lines = systemctl("cat", "pgmcp.service").splitlines()
    kept = [line for line in lines if not OTHERS.match(line)]
    place = kept.index("[Service]") + 1
    command = f"ExecStart=/usr/bin/python3 -I {PROBE}"
    kept[place:place] = ["Type=oneshot", command, f"StandardOutput=truncate:{ANSWER}"]
    (TRANSIENT / "pgmcp-probe.service").write_text("\n".join(kept))
    systemctl("daemon-reload")
    systemctl("start", "pgmcp-probe.service")
    return dict(json.loads(ANSWER.read_text()))


@pytest.fixture(scope="module")
def outside() -> type_of_outcomes:
    """Run the probe as root without a sandbox."""
    return dict(json.loads(run("python3", "-I", str(PROBE))))


@pytest.mark.parametrize(("attempt", "refused"), [pytest.param(a, r, id=a) for a, r, _ in DENIED])
def test_the_sandbox_denies(inside: type_of_outcomes, attempt: str, refused: str) -> None:
    assert inside[attempt] in refused.split("|")


@pytest.mark.parametrize(("attempt", "allowed"), [pytest.param(a, o, id=a) for a, _, o in DENIED])
def test_without_the_sandbox_root_may(
    outside: type_of_outcomes, attempt: str, allowed: str
) -> None:
    """A control: if this fails, the denial above proves nothing."""
    assert outside[attempt] in allowed.split("|")


def test_the_sandbox_leaves_what_the_gateway_needs(inside: type_of_outcomes) -> None:
    assert inside["write its state"] == "ok"
    assert inside["open a Unix socket"] == "ok"


def test_the_gateway_is_alone_in_its_network(inside: type_of_outcomes) -> None:
    assert inside["its network"] != str(Path("/proc/self/ns/net").readlink())


def test_the_exposure_is_low(capsys: pytest.CaptureFixture[str]) -> None:
    text = run("systemd-analyze", "security", "--no-pager", "pgmcp.service")
    found = re.search(r"Overall exposure level for pgmcp.service: ([\d.]+) \S+", text)
    assert found is not None
    with capsys.disabled():
        print(f"\n{found[0]} by {run('systemctl', '--version').splitlines()[0]}")  # noqa: T201

    assert float(found[1]) <= MOST_EXPOSED


def test_nothing_but_postgresql_on_loopback_listens_on_tcp() -> None:
    lines = run(
        "ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes"
    ).splitlines()

    assert [line for line in lines if '"postgres"' not in line] == []
    assert lines != []
    assert [
        line for line in lines if "127.0.0.1:5432" not in line and "[::1]:5432" not in line
    ] == []
