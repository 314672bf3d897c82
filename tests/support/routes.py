"""Every route of an application, also those of the routers that it includes."""

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts


def routes_of(app: FastAPI) -> list[APIRoute]:
    """In the order in which they are tried. Our routers are included without a prefix, so a route's path is its address."""
    found = [context.original_route for context in iter_route_contexts(app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]
