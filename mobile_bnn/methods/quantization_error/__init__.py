"""Methods that bring the binary values nearer to the float ones."""
