"""The service: a request goes in, a reply comes out."""
