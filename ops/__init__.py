"""What the `orderpipe` commands run: the stack on one machine, submitting, watching, the demonstration."""
