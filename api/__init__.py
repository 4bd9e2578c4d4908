"""The thin door: TMF622, TMF620, TMF637, the care API, events and callbacks.

Routes and care routes use `api.http` and `api.tmf`; Temporal and the register are reached through `api.service` alone.
"""
