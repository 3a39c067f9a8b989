# docs/ as a package, its page of options made anew from the module.
{ lib, runCommand }:
runCommand "pgmcp-docs"
  {
    options = import ./documentation.nix { inherit lib; };
    passAsFile = [ "options" ];
  }
  ''
    cp -r ${../docs} "$out"
    chmod -R u+w "$out"
    cp "$optionsPath" "$out/options.md"
  ''
