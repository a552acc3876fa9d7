"""Judges for both sides of the wire: what a client does with a bad server, and whether a server keeps the contract."""
