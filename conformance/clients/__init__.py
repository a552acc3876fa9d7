"""Clients, in any language, judged from outside: numbered cases, and the rules that hold in each of them."""
