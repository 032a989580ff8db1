"""Bell's test of the signs of features: the bound that holds, and the mistakes that seem to break it."""
