"""
Packages whose __init__ imports far more than pgmcp uses, entered without running it.

Owns nothing; whoever asks such a package for a name of its own gets the real __init__ then.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


def defer(name: str) -> None:
    """
    Let submodules of the package *name* be imported before its __init__ has run.

    `import mcp.server.lowlevel` runs three __init__ files, which bring the client, the high-level
    server and an HTTP client along. The __init__ still runs, once, when a name is looked up that
    is no submodule; a package that has been imported already stays as it is.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None or spec.submodule_search_locations is None:
        return  # the import that follows says what is missing
    loader = spec.loader
    module = importlib.util.module_from_spec(spec)

    def look_up(attribute: str) -> Any:  # Any: whatever the package exports
        if attribute.startswith("__") or importlib.util.find_spec(f"{name}.{attribute}"):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        del module.__dict__["__getattr__"]
        loader.exec_module(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = look_up
    sys.modules[name] = module
    _bind_to_parent(name, module)


def _bind_to_parent(name: str, module: ModuleType) -> None:
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)
