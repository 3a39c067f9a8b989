# nixpkgs' package set as far as our flake uses it. What builds a package is a derivation that
# records what it was given, so evaluating one proves its arguments; nothing can be built.
{
  lib,
  system,
  stand-ins,
}:
let
  # A list that is made of what a package needs is evaluated, element by element.
  record =
    kind:
    {
      pname ? null,
      version ? null,
      name ? "${pname}-${version}",
      src ? "",
      checkPhase ? "",
      script ? checkPhase,
      meta ? { },
      passthru ? { },
      ...
    }@args:
    let
      drv = derivation {
        inherit name system script;
        builder = "/bin/sh";
        args = [
          "-c"
          "echo ${kind} ${name} is a stand-in >&2; exit 1"
        ];
        source = "${src}";
        inputs = lib.concatMap (list: map toString (args.${list} or [ ])) [
          "build-system"
          "dependencies"
          "nativeBuildInputs"
          "nativeCheckInputs"
          "packages"
          "inputsFrom"
        ];
      };
    in
    drv
    // {
      # Unit texts name packages, and the files they are written to may not refer to builds.
      outPath = builtins.unsafeDiscardStringContext drv.outPath;
      inherit
        name
        src
        meta
        passthru
        ;
    }
    // passthru;

  python = stand-ins.python3 // {
    pythonVersion = "3.13";
    sitePackages = "lib/python3.13/site-packages";
    withPackages =
      choose:
      record "python3.withPackages" {
        name = "python3-env";
        dependencies = choose python3Packages;
        meta.mainProgram = "python3";
      };
  };

  library = name: stand-ins.writeText name name;
  python3Packages =
    lib.genAttrs [
      "anyio"
      "asyncpg"
      "h11"
      "hatchling"
      "httptools"
      "hypothesis"
      "idna"
      "jsonschema"
      "opentelemetry-api"
      "orjson"
      "protobuf"
      "pydantic"
      "pytest"
      "pytest-asyncio"
      "python-multipart"
      "sse-starlette"
      "starlette"
      "typing-extensions"
      "typing-inspection"
      "uvicorn"
      "uvloop"
    ] library
    // {
      inherit python;
      pyjwt = library "pyjwt" // {
        optional-dependencies.crypto = [ (library "cryptography") ];
      };
      buildPythonPackage = record "buildPythonPackage";
      buildPythonApplication = record "buildPythonApplication";
    };

  fetchPypi =
    {
      pname,
      version,
      format,
      dist,
      python,
      abi,
      platform,
      hash,
    }:
    assert format == "wheel";
    let
      file = "${pname}-${version}-${python}-${abi}-${platform}.whl";
    in
    stand-ins.writeText file hash
    // {
      inherit hash;
      url = "packages/${dist}/${lib.substring 0 1 pname}/${pname}/${file}";
    };

  own = stand-ins // {
    inherit fetchPypi python3Packages;
    callPackage = lib.callPackageWith own;
    autoPatchelfHook = stand-ins.writeText "auto-patchelf-hook" "";
    mkShell = args: record "mkShell" ({ name = "shell"; } // args);
    runCommand =
      name: args: script:
      record "runCommand" (args // { inherit name script; });
    writeShellApplication =
      {
        name,
        text,
        runtimeInputs ? [ ],
      }:
      record "writeShellApplication" {
        inherit name;
        script = text;
        packages = runtimeInputs;
        meta.mainProgram = name;
      };
    # The machines of a test are modules of a whole NixOS, which is not here; its script is text.
    testers.runNixOSTest =
      test:
      record "runNixOSTest" {
        inherit (test) name;
        script = lib.concatStringsSep " " (lib.attrNames test.nodes);
      };
  };
in
own
