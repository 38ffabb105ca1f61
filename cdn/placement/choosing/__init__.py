"""One set of caches for each asset, proved best (``choice``): an asset's sets and a limit's packings, kept together by
prices of their pairs (``pricing``), and branch and bound over pairs (``searching``)."""
