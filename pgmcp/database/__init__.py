"""
The way to PostgreSQL: pools of connections, leases on them, statements run through them.

With `transactions` the only package that calls asyncpg; it never decides what may run.
"""

from pgmcp.database.lease import Bounds, Lease
from pgmcp.database.pools import Databases

__all__ = ["Bounds", "Databases", "Lease"]
