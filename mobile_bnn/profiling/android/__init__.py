"""What a phone is asked through adb: finding it, its properties, running programs on it, laying files on it."""
