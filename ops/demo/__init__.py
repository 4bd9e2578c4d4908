"""The demonstration: a walk through the pipe, and the comparison with what the silos hold at the end."""
