"""Problem data, placements and plans: frozen, validated once, numpy inside."""
