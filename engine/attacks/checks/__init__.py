"""May the verdict of an attack be believed? Flags, the active test, and the worst case over several attacks."""
