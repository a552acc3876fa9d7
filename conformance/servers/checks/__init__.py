"""The checks, a module a family; each is registered by its decorator."""
