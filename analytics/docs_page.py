"""The OpenAPI document and its browsable page, from files of this installation only."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularAPIView):
    """The OpenAPI document (YAML, or JSON with ?format=json)."""

    authentication_classes = ()
    permission_classes = ()


# Swagger's interface sets styles on elements; this page alone may. Its script comes from its own address.
@method_decorator(csp_update({"style-src": ["'unsafe-inline'"]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The OpenAPI document as a page."""

    authentication_classes = ()
    permission_classes = ()
    url_name = "schema"
