{
  description = "A Raspberry Pi with PostgreSQL and pgmcp";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    agenix = {
      url = "github:ryantm/agenix";
      inputs = {
        nixpkgs.follows = "nixpkgs";
        darwin.follows = "";
        home-manager.follows = "";
      };
    };
    # REPLACE OWNER: where your copy of pgmcp is.
    pgmcp = {
      url = "github:OWNER/pgmcp";
      inputs = {
        nixpkgs.follows = "nixpkgs";
        agenix.follows = "agenix";
      };
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      agenix,
      pgmcp,
    }:
    {
      nixosConfigurations.pi = nixpkgs.lib.nixosSystem {
        modules = [
          { nixpkgs.hostPlatform = "aarch64-linux"; }
          agenix.nixosModules.default
          pgmcp.nixosModules.default
          ./host.nix
        ];
      };

      # The same host as an image for an SD card: nix build .#image
      packages.aarch64-linux.image =
        (self.nixosConfigurations.pi.extendModules {
          modules = [ "${nixpkgs}/nixos/modules/installer/sd-card/sd-image-aarch64.nix" ];
        }).config.system.build.sdImage;
    };
}
