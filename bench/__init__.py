"""
The gateway beside raw asyncpg: throughput, latency, CPU, memory, start.

Owns nothing; see `__main__` for the run and docs/benchmarks.md for the figures.
"""
