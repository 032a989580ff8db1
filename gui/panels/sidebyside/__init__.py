"""The same panel for several sources, side by side."""
