"""The oracle: what each task can be, given all that was seen; it says which answer was impossible, and why."""
