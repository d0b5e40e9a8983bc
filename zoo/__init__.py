"""Model architectures and their recipes."""
