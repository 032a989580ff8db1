"""What a sweep's columns say of each other: curves against a setting, and relations over networks."""
