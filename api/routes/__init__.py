"""The routes of TMF622, TMF620, TMF637, the hub, silo callbacks and the codec endpoint.

Each maps HTTP to `api.service`; no decision is made here.
"""
