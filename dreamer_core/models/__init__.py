"""The networks and the mathematics of DreamerV3."""
