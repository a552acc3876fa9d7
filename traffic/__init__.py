"""What went over the wire, as values: exchanges, and pure functions over them.

The modules `har` and `ndjson` read and write them, `expectations` and `transcript` judge and show them.
"""
