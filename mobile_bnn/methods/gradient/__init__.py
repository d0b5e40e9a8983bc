"""Methods that bring the backward pass nearer to the forward one."""
