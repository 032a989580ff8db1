"""The table of a sweep's points."""
