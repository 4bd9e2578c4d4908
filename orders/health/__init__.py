"""The health of silos: when one is left alone, paused or slowed down, and what its calls have come to."""
