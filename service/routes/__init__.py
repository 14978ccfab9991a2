"""Addresses of the service: parse the request, ask the engine, shape the answer."""
