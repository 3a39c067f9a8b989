"""
The way to PostgreSQL: pools of connections, leases on them, statements run through them.

With `transactions` the only package that calls asyncpg; it never decides what may run.
"""

from pgmcp.database.borrower import Borrower
from pgmcp.database.lease import Bounds, Lease
from pgmcp.database.pools import Databases
from pgmcp.database.session import CATALOGS_ONLY

__all__ = ["CATALOGS_ONLY", "Borrower", "Bounds", "Databases", "Lease"]
