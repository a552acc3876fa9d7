"""Control over HTTP, under `/_safelight/`: tests in any language steer a running fake."""
