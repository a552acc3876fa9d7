"""What goes wrong, for which request, and the rules that say so."""
