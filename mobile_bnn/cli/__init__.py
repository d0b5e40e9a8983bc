"""The `mbnn` command: one small file per sub-command."""
