# A path, which Nix would copy to the store.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = "ana@example.com";
        permissions = "admin";
      }
    ];
    credentials.keys = ./secret-as-path.nix;
  };
}
