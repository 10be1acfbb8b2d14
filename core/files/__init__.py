"""Files: written whole or not at all (`atomic`), read under limits (`text_file`, `guarded`)."""
