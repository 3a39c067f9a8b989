"""
Who calls: the principal behind one HTTP request.

Owns the noun Caller; never decides what a caller may do.
"""

from pgmcp.identity.caller import LOCAL, PROXIED, Arrival, Caller, Refused
from pgmcp.identity.headers import Headers
from pgmcp.identity.recognise import Recognition

__all__ = ["LOCAL", "PROXIED", "Arrival", "Caller", "Headers", "Recognition", "Refused"]
