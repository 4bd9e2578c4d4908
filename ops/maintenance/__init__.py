"""Commands for operators that go to Temporal, the register or the catalog directly."""
