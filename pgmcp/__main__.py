"""
Run `python -m pgmcp` as `pgmcp`.

Owns nothing.
"""

import sys

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended

try:
    from pgmcp.cli import main

    status = main()
except KeyboardInterrupt:  # while the modules were imported
    status = INTERRUPTED
sys.exit(status)
