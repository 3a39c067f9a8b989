"""
What the operator has set, from defaults, a file, the environment and flags, in that order.

Owns the noun Settings; the only package that reads files or the environment.
"""

from pgmcp.settings.credentials import passfile_path, passwords_in, renewed, require_roles
from pgmcp.settings.load import load
from pgmcp.settings.rules import AccessRule, Grant, read_grants
from pgmcp.settings.sections import Http, Identity, Limits, Pools, Settings, TransactionLimits
from pgmcp.settings.server import APPLICATION_NAME, Provision, Server

__all__ = [
    "APPLICATION_NAME",
    "AccessRule",
    "Grant",
    "Http",
    "Identity",
    "Limits",
    "Pools",
    "Provision",
    "Server",
    "Settings",
    "TransactionLimits",
    "load",
    "passfile_path",
    "passwords_in",
    "read_grants",
    "renewed",
    "require_roles",
]
