"""Promising: how long things take, as was learned, and by when an order is done: as a rule, and nine times in ten."""
