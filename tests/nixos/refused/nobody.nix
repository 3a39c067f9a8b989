# A rule for nobody.
{
  services.pgmcp = {
    enable = true;
    access = [
      {
        who = [ ];
        permissions = "read";
      }
    ];
  };
}
