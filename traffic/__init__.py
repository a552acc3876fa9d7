"""What went over the wire, as values."""
