"""The ways in which requests reach the service."""
