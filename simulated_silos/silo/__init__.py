"""One simulated silo: its words, the services that it holds, the slots that it offers, the values that it gives out."""
