"""How simulated silos are spoken to: TMF640 and TMF641, plain JSON, and the callbacks that they send."""
