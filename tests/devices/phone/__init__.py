"""A virtual phone: Debian's adb talks to an adbd of ours, which runs shell commands in a folder like Android's root."""
