"""Methods that came after the survey's table, or stand outside of it."""
