"""Demand in the register: what each order asks for, and what silos were told to have."""
