"""Methods that change what is minimized."""
