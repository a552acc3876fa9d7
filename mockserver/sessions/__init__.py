"""The sessions: one for each API key."""
