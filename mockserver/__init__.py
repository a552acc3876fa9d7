"""The fake: a core without I/O, the doors to it, and the settings of the lives its tasks lead."""
