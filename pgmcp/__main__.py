"""
Run `python -m pgmcp` as `pgmcp`.

Owns nothing.
"""

import sys

from pgmcp.cli import main

sys.exit(main())
