"""Stage `cycle_k`: query, label, train, evaluate."""
