"""
The embedded default: a private PostgreSQL cluster for the demo and the tests.

Owns clusters that it created itself; must never touch any other, nor import the wheel.
"""
