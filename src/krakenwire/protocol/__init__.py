"""JSON text and the model, both directions: symbols, requests, API versions 1 and 2."""

from krakenwire.protocol.requests import Request
from krakenwire.protocol.symbols import explain_refusal, rest_altname, rest_asset, rest_key, to_v1, to_v2

__all__ = ["Request", "explain_refusal", "rest_altname", "rest_asset", "rest_key", "to_v1", "to_v2"]
