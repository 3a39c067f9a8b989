# nixpkgs with `pgmcp` in it; nothing else of nixpkgs changes, so its binary cache stays of use.
final: _prev: { pgmcp = final.callPackage ./package.nix { }; }
