"""Reports: one document of a run, and what is made of it, for people and for machines."""
