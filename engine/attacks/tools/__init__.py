"""What attacks are built from: balls and projections, losses, random numbers, estimates of gradients and boundaries."""
