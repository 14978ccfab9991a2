"""What people open in a browser: the page at ``/`` and the documentation at ``/docs``."""

from importlib import resources
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse, HTMLResponse

_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Swagger UI starts itself with a script inside its page and draws icons from data addresses.
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)


def add_pages(app: FastAPI) -> None:
    """Serve the page, its parts, and Swagger UI from files of installed packages, no CDN."""
    web = Path(str(resources.files("service"))) / "web"
    swagger = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/web", StaticFiles(directory=web), name="web")
    app.mount("/docs-static", StaticFiles(directory=swagger), name="docs-static")

    def page() -> FileResponse:
        headers = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-cache"}
        return FileResponse(web / "index.html", media_type="text/html", headers=headers)

    def docs() -> HTMLResponse:
        html = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/docs-static/swagger-ui-bundle.js",
            swagger_css_url="/docs-static/swagger-ui.css",
            swagger_favicon_url="/web/icon.svg",
        )
        html.headers["Content-Security-Policy"] = _DOCS_POLICY
        return html

    app.add_api_route("/", page, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/docs", docs, methods=["GET"], include_in_schema=False)
