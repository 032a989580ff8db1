"""The pages of the relations panel."""
