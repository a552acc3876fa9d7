"""Values of the fake, and pure functions on them."""
