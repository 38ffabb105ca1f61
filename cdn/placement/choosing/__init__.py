"""One set of caches for each asset, proved best (``choice``): sets of an asset and packings of a limit, kept together by
prices of their pairs (``pricing``), and branch and bound over pairs (``searching``)."""
