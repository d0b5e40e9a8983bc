"""A virtual Raspberry Pi: a Debian for ARM under qemu, which a real sshd lets in on loopback."""
