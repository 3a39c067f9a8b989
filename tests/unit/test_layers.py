"""The shape of the code: who may import whom, how long things are, and no hidden state."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pgmcp"

# From the top down: a module imports only from lines below its own. A package stands for all its
# modules unless they are named themselves.
LAYERS = (
    "__main__",
    "cli",
    "embedded.run",
    "serve",
    "connection",
    "listeners",
    "supervisor",
    "http",
    "status",
    "readiness",
    "front",
    "hosts",
    "traffic",
    "protocol",
    "tools",
    "tools.admin",
    "tools.schema",
    "tools.monitor",
    "tools.query",
    "tools.tx",
    "tools.confirm",
    "tools.explain",
    "tools.doomed",
    "tools.consequences",
    "tools.gaps",
    "tools.nearest",
    "tools.reach",
    "tools.schemas",
    "tools.savepoint",
    "tools.base",
    "quota",
    "door",
    "own_transactions",
    "audit",
    "transactions",
    "loans",
    "questions",
    "ledger",
    "definers",
    "doctor",
    "provision",
    "database",
    "database.pools",
    "database.accounts",
    "database.lease",
    "database.slots",
    "database.queue",
    "database.shares",
    "database.backend",
    "database.session",
    "database.borrower",
    "database.plan",
    "database.codecs",
    "database.failures",
    "database.quote",
    "results",
    "statement",
    "judging",
    "tree",
    "digest",
    "grammar",
    "definitions",
    "titles",
    "sql",
    "embedded",
    "connect",
    "access",
    "identity",
    "keys",
    "settings",
    "kinds",
    "denied",
    "logins",
    "passwords",
    "values",
    "clock",
    "deferred",
    "journal",
    "errors",
    "",  # the package itself: its version
)
MAX_LINES, MAX_FUNCTION_LINES = 300, 40

# Who else reads or writes files, and why.
FILES = {
    "cli": "names the configuration file",
    "settings": "reads the configuration and credentials",
    "listeners": "replaces a stale socket",
    "keys": "reads the API keys again when their file changes",
    "sql": "reads the package's own queries",
    "embedded": "owns a cluster's directory",
    "provision": "writes the passfile",
    "tools.admin": "writes backups into the operator's directory",
}
OPENING = frozenset(
    {"open", "fdopen", "read_text", "write_text", "read_bytes", "write_bytes", "unlink", "mkdir"}
)
MUTATORS = frozenset(
    {"append", "add", "update", "pop", "popitem", "setdefault", "clear", "extend", "remove"}
)

PATHS = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts)
TREES = {path: ast.parse(path.read_text()) for path in PATHS}


def name_of(path: Path) -> str:
    """Return a module's name below the package, '' for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): tree for path, tree in TREES.items()}
IDS = [pytest.param(path, id=name_of(path) or "pgmcp") for path in PATHS]
NAMES = [pytest.param(name, id=name or "pgmcp") for name in MODULES]


def layer_of(module: str) -> str:
    """Return the line of LAYERS that a module belongs to."""
    while module not in LAYERS:
        module = module.rpartition(".")[0]
    return module


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield every module that is imported anywhere, for type checkers as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full.removeprefix("pgmcp.") in MODULES else node.module


def own_imports(module: str) -> set[str]:
    """Return the names of pgmcp's modules that *module* imports."""
    found = imports(MODULES[module])
    own = {name for name in found if name.split(".")[0] == "pgmcp"}
    return {name.removeprefix("pgmcp").removeprefix(".") for name in own} - {module}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function, methods and inner ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function takes without its docstring."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_every_layer_exists() -> None:
    assert [layer for layer in LAYERS if layer not in MODULES] == []


@pytest.mark.parametrize("module", NAMES)
def test_imports_point_down(module: str) -> None:
    place = LAYERS.index(layer_of(module))

    others = {name for name in own_imports(module) if layer_of(name) != layer_of(module)}

    assert [name for name in sorted(others) if LAYERS.index(layer_of(name)) <= place] == []


def test_no_module_imports_itself_through_others() -> None:
    """Within a package, where the layers say nothing, there is no circle either."""
    graph = TopologicalSorter({module: own_imports(module) for module in MODULES})

    try:
        graph.prepare()
    except CycleError as error:
        pytest.fail(f"circular imports: {error.args[1]}")


LIBRARIES = [
    pytest.param({"mcp", "mcp_types"}, ("protocol",), id="mcp"),
    pytest.param({"asyncpg"}, ("database", "embedded"), id="asyncpg"),
    pytest.param({"postgast"}, ("statement", "digest"), id="postgast"),
    pytest.param({"uvicorn", "uvloop"}, ("serve", "connection", "cli"), id="uvicorn"),
    pytest.param({"subprocess"}, ("embedded", "tools.admin"), id="subprocess"),
]


@pytest.mark.parametrize(("libraries", "users"), LIBRARIES)
def test_a_library_has_one_door(libraries: set[str], users: tuple[str, ...]) -> None:
    found = {
        module
        for module, tree in MODULES.items()
        if libraries & {name.split(".")[0] for name in imports(tree)}
    }

    assert {module for module in found if not module.startswith(users)} == set()


@pytest.mark.parametrize("path", [*PATHS, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_fits_three_screens(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", IDS)
def test_a_function_fits_one_screen(path: Path) -> None:
    """Count signature and code; a long docstring makes nothing harder to follow."""
    lengths = {found.name: lines_of(found) for found in functions(TREES[path])}

    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", IDS)
def test_a_module_says_what_it_owns(path: Path) -> None:
    assert ast.get_docstring(TREES[path])


def test_only_settings_and_the_command_line_read_the_environment() -> None:
    readers = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    }

    assert readers <= {"cli", "settings"}


def test_files_are_opened_only_where_that_is_the_work() -> None:
    openers = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) in OPENING
    }

    assert {module for module in openers if layer_of(module).split(".")[0] not in TOP} == set()


TOP = {name.split(".")[0] for name in FILES}


def called(node: ast.Call) -> str:
    """Return the last part of what is called."""
    target = node.func
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


def module_names(tree: ast.Module) -> set[str]:
    """Return the names that a module assigns at its top level."""
    found: set[str] = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def changed_in(function: ast.AST) -> Iterator[str]:
    """Yield the names whose objects a function changes in place."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and called(node) in MUTATORS:
            owner = getattr(node.func, "value", None)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            owner = next(
                (found.value for found in targets if isinstance(found, ast.Subscript)), None
            )
        else:
            continue
        if isinstance(owner, ast.Name):
            yield owner.id


@pytest.mark.parametrize("path", IDS)
def test_a_module_keeps_no_state(path: Path) -> None:
    tree = TREES[path]

    changed = {name for function in functions(tree) for name in changed_in(function)}

    assert changed & module_names(tree) == set()
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    assert "contextvars" not in set(imports(tree))
