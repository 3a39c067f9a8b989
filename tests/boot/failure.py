"""Why the boot test cannot run here; `__main__` prints it, and nothing else handles it."""

from __future__ import annotations


class BootRefused(Exception):
    """Something is missing; the message says what, and what to do."""
