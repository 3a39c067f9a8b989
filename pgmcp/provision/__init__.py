"""
The login roles and what they may do: PostgreSQL's side of who may do what.

Owns the roles pgmcp_*; it grants to them alone, and never changes what PUBLIC or others may do.
"""

from pgmcp.provision.database import plan_database, provision_database
from pgmcp.provision.gaps import Gap, admin_gaps
from pgmcp.provision.server import plan_server, provision
from pgmcp.provision.step import Options, Outcome, Plan, Step, options_of

__all__ = [
    "Gap",
    "Options",
    "Outcome",
    "Plan",
    "Step",
    "admin_gaps",
    "options_of",
    "plan_database",
    "plan_server",
    "provision",
    "provision_database",
]
