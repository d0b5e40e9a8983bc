"""Stores constants in fewer bytes."""
