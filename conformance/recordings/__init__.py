"""Recorded traffic, judged: does the server in it keep the contract? Nothing is sent."""
