"""The thin door: TMF622, TMF620, TMF637, the care API, events and callbacks.

Routes and care routes use `api.http` and `api.tmf`. Temporal is reached through `api.service.gateway` alone. Blocking
calls, such as those to the register, are made by `api.blocking`.
"""
