"""What `pgmcp serve` does not use, it does not import; and what is asked for still comes."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from pgmcp.cli import defer_unused
defer_unused()
import pgmcp.serve
unused = (
    "mcp.client.session", "mcp.server.mcpserver", "httpx2", "idna", "google.protobuf", "typer"
)
print(*[name for name in unused if name in sys.modules], sep=",")
import mcp
print(mcp.Client.__name__)
"""


def run_program() -> list[str]:
    """Run the program in a fresh interpreter and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def test_serving_imports_no_client_no_second_server_and_no_protobuf() -> None:
    imported, _ = run_program()

    assert imported == ""


def test_a_name_of_a_package_entered_without_its_init_is_found_all_the_same() -> None:
    _, client = run_program()

    assert client == "Client"
