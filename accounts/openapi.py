"""How the OpenAPI document names the API key."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An API key as a bearer token; `x-api-key` and the password of Basic do as well."""

    target_class = "accounts.keys.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme's entry under components.securitySchemes."""
        return {"type": "http", "scheme": "bearer", "description": "An API key of the project."}
