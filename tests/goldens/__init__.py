"""A corpus of recorded exchanges: what the fake answers, books and writes down, step by step, held against today's."""
