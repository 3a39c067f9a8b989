# The application, built and tested with the pinned nixpkgs' Python and PostgreSQL.
{
  lib,
  callPackage,
  python3Packages,
  postgresql,
  writeShellApplication,
  # A Pi builds this itself, so by default a selection of a few minutes runs; checks/tests.nix asks
  # for every test that can run on what nixpkgs has.
  wholeSuite ? false,
}:
let
  inherit (lib) fileset;
  ps = python3Packages;
  wheels = callPackage ./wheels.nix { inherit python3Packages; };

  tests = fileset.difference ../tests (
    fileset.unions (
      map fileset.maybeMissing [
        ../tests/boot # boots a Debian tree, as root
        ../tests/nixos # evaluates the module, which takes Nix
        ../tests/snapshots/nixos
        ../tests/unit/test_contrib.py # compares contrib/ with those
        ../tests/unit/test_floors.py # reads the locks of make, which this build does not use
        ../tests/clients/ts/node_modules
        ../tests/conformance/node_modules
      ]
    )
  );
  # What tests compare with the code: generated pages, headings, the sentences of scripts.
  compared = fileset.unions [
    ../README.md
    ../docs/settings.md
    ../docs/tools.md
    ../docs/troubleshooting.md
    ../tools/venv.sh
    (fileset.fileFilter (file: file.hasExt "sh") ./.)
    (fileset.maybeMissing ../contrib/systemd/steps)
  ];
  sourceOf =
    files:
    fileset.toSource {
      root = ../.;
      fileset = fileset.unions files;
    };

  # Without arguments, everything under tests/. What cannot run here skips itself and says why: the
  # clients fastmcp and TypeScript, which nixpkgs lacks, several major versions of PostgreSQL side by
  # side, and root's.
  selection = lib.optionals (!wholeSuite) [
    "tests/unit"
    "tests/clients" # the end-to-end scenario, in both protocol eras
    "tests/integration/test_end_to_end.py"
    "tests/integration/test_listeners_systemd.py"
    "tests/integration/test_provision_levels.py"
    "tests/integration/test_transactions.py"
    "tests/integration/test_types.py"
  ];

  scenarioPython = ps.python.withPackages (_: [ wheels.mcp ]);
in
ps.buildPythonApplication {
  pname = "pgmcp";
  # One source of the version: the line that the program prints.
  version = builtins.head (
    builtins.match ".*\n__version__ = \"([^\"]+)\"\n.*" (builtins.readFile ../pgmcp/__init__.py)
  );
  pyproject = true;
  src = sourceOf [
    ../pyproject.toml
    ../LICENSE
    ../pgmcp
    tests
    compared
  ];

  build-system = [ ps.hatchling ];
  dependencies = [
    wheels.mcp
    wheels.postgast
    ps.asyncpg
    ps.httptools
    ps.orjson
    ps.pydantic
    ps.uvicorn
    ps.uvloop
  ];

  nativeCheckInputs = [
    postgresql
    ps.hypothesis
    ps.pytest
    ps.pytest-asyncio
  ];
  # The tests find the code beside them, so what was installed is put there: a file that the wheel
  # leaves out is missed here. With CI set, hypothesis draws the same examples in every build, and
  # has no deadline that a busy Pi would miss.
  checkPhase = ''
    runHook preCheck
    rm -r pgmcp
    ln -s "$out/${ps.python.sitePackages}/pgmcp" pgmcp
    CI=1 python -m pytest -p no:cacheprovider ${lib.escapeShellArgs selection}
    runHook postCheck
  '';
  pythonImportsCheck = [ "pgmcp.cli" ];

  passthru = {
    inherit wheels;
    # `pgmcp-scenario URL`: the end-to-end scenario of the tests, for another machine.
    scenario = writeShellApplication {
      name = "pgmcp-scenario";
      text = ''
        export PYTHONPATH=${sourceOf [ tests ]}
        exec ${lib.getExe scenarioPython} -m tests.scenario "$@"
      '';
    };
  };

  meta = {
    description = "PostgreSQL gateway that speaks MCP over Streamable HTTP";
    license = lib.licenses.mit;
    mainProgram = "pgmcp";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
