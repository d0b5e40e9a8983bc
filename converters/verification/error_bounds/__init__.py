"""Running error analysis: how far rounding may move each number of a float graph, and no farther."""
