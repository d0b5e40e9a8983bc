"""Methods that take the sign and pass the gradient straight through, and nothing else."""
