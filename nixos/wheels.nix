# The Python packages that the pinned nixpkgs lacks or has too old, as the wheels their projects
# publish. They stay in this scope: overriding them in python3Packages would rebuild on a Pi
# everything of nixpkgs that uses them. A newer release is a new version and hash here.
{
  lib,
  stdenv,
  python3Packages,
  fetchPypi,
  autoPatchelfHook,
}:
let
  ps = python3Packages;
  inherit (stdenv.hostPlatform.parsed) cpu;

  wheel =
    {
      hash,
      python ? "py3",
      abi ? "none",
      platform ? "any",
      ...
    }@args:
    ps.buildPythonPackage (
      removeAttrs args [
        "hash"
        "python"
        "abi"
        "platform"
      ]
      // {
        format = "wheel";
        src = fetchPypi {
          pname = lib.replaceStrings [ "-" ] [ "_" ] args.pname; # as the file's name spells it
          format = "wheel";
          dist = python;
          inherit (args) version;
          inherit
            hash
            python
            abi
            platform
            ;
        };
      }
    );

  cp = "cp${lib.replaceStrings [ "." ] [ "" ] ps.python.pythonVersion}";
  manylinux = [
    "manylinux2014"
    "manylinux_2_17"
    "manylinux_2_28"
  ];
  postgastHashes = {
    cp313-x86_64 = "sha256-9BM0KmXlSyrDZ9NOgZ+PYJ9DUlBQQYo69Vr5nuZQjmc=";
    cp313-aarch64 = "sha256-fis3t8ze8ccvj4c9XdTCfsd5KquvsRpbRDSj0cIwXdw=";
    cp314-x86_64 = "sha256-hEOhj3OCfAtQLuxs1//ZtoejZ6i97noG3znQL133Kqo=";
    cp314-aarch64 = "sha256-aiedZiK5wwdbQIdcdZiccUx2hc+ng3iOHTZxN/EPsuI=";
  };

  postgast = wheel {
    pname = "postgast";
    version = "0.2.0";
    python = cp;
    abi = cp;
    platform = lib.concatMapStringsSep "." (policy: "${policy}_${cpu.name}") manylinux;
    hash =
      postgastHashes."${cp}-${cpu.name}"
        or (throw "postgast: no wheel for ${cp} on ${cpu.name}. Add its hash to nixos/wheels.nix.");
    nativeBuildInputs = [ autoPatchelfHook ];
    dependencies = [ ps.protobuf ];
    pythonImportsCheck = [ "postgast" ];
  };

  # nixpkgs' own carries aiohttp, requests and more along; the wheel requires nothing.
  truststore = wheel {
    pname = "truststore";
    version = "0.10.5";
    hash = "sha256-mqrtrvrwbYsgYnjPi1ASvIl/SFqHRQNQHhLXdt94lRw=";
    pythonImportsCheck = [ "truststore" ];
  };

  httpcore2 = wheel {
    pname = "httpcore2";
    version = "2.16.2";
    hash = "sha256-FgUa4qQvd2AHVD8y3pNJoxeyPSy7ThRWtLrA6IuHQZo=";
    dependencies = [
      ps.h11
      truststore
    ];
    pythonImportsCheck = [ "httpcore2" ];
  };

  httpx2 = wheel {
    pname = "httpx2";
    version = "2.16.2";
    hash = "sha256-8FwTqt5MRdvxyQYGR6EFjwrK1iOY+tludBJp7bM9RvU=";
    dependencies = [
      ps.anyio
      ps.idna
      httpcore2
      truststore
    ];
    # It wants a newer idna than nixpkgs has. This is mcp's client, which a server does not use,
    # and a second idna beside the one that anyio brings would be a conflict.
    pythonRelaxDeps = [ "idna" ];
    pythonImportsCheck = [ "httpx2" ];
  };

  mcp-types = wheel {
    pname = "mcp-types";
    version = "2.3.0";
    hash = "sha256-lo79va7fqwatrkDTeKNDlfEJDFkh1L48nN4oOq922R0=";
    dependencies = [
      ps.pydantic
      ps.typing-extensions
    ];
    pythonImportsCheck = [ "mcp_types" ];
  };

  mcp = wheel {
    pname = "mcp";
    version = "2.3.0";
    hash = "sha256-3QxEwInRZFPorjGjh3oAVNeiMUyqqB9eBUG5sXNLI3c=";
    dependencies = [
      httpx2
      mcp-types
      ps.anyio
      ps.jsonschema
      ps.opentelemetry-api
      ps.pydantic
      ps.pyjwt
      ps.python-multipart
      ps.sse-starlette
      ps.starlette
      ps.typing-extensions
      ps.typing-inspection
      ps.uvicorn
    ]
    ++ ps.pyjwt.optional-dependencies.crypto;
    pythonImportsCheck = [ "mcp" ];
  };
in
{
  inherit
    httpcore2
    httpx2
    mcp
    mcp-types
    postgast
    truststore
    ;
}
