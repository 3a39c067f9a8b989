"""
Passwords for new roles: made here, known to the server only as a verifier.

Owns both forms; keeps neither. The clear text never reaches PostgreSQL, its log or its statistics.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode
from dataclasses import dataclass, field

ENTROPY_BYTES = 32
SALT_BYTES = 16
ITERATIONS = 4096  # PostgreSQL's own default; against random passwords more is only slower


@dataclass(frozen=True, kw_only=True, slots=True)
class Password:
    """Hold a password as its owner types it, and as PostgreSQL stores it."""

    clear: str = field(repr=False)
    verifier: str = field(repr=False)


def make_password() -> Password:
    """Return a random password of ASCII letters, digits, - and _, so that SASLprep keeps it."""
    clear = secrets.token_urlsafe(ENTROPY_BYTES)
    return Password(clear=clear, verifier=scram_verifier(clear, secrets.token_bytes(SALT_BYTES)))


def scram_verifier(clear: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """
    Return what PostgreSQL stores for *clear*, which must be ASCII.

    Source: RFC 5802 and RFC 7677; the form is that of pg_authid.rolpassword.
    """
    salted = hashlib.pbkdf2_hmac("sha256", clear.encode("ascii"), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return (
        f"SCRAM-SHA-256${iterations}:{b64encode(salt).decode()}"
        f"${b64encode(stored_key).decode()}:{b64encode(server_key).decode()}"
    )
