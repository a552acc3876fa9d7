"""Safelight: develop and test clients of an asynchronous image-generation API."""
