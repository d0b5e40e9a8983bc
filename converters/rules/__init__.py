"""Exact rewrites of graphs, one a file: what a rule matches, why it is exact, and what it yields."""
