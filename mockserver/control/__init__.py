"""Control over HTTP, under `/_safelight/`: tests in any language control a running fake."""
