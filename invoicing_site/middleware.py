"""Security headers and compression: the browser may load our own files only, and not use its devices."""

from django.middleware.gzip import GZipMiddleware

STRICT = {
    "default-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Alpine, in the admin's theme, evaluates attributes; our own pages don't allow this.
ADMIN = STRICT | {
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
}


def header(directives):
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def content_security_policy(get_response):
    def middleware(request):
        response = get_response(request)
        admin = request.path_info.startswith("/admin/")
        response.headers.setdefault("Content-Security-Policy", header(ADMIN if admin else STRICT))
        return response

    return middleware


def permissions_policy(get_response):
    """Disable camera, microphone and geolocation for all pages."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response

    return middleware


class CompressText(GZipMiddleware):
    """Compress pages, JSON and CSV files. PDF, Excel and ZIP files already are."""

    def process_response(self, request, response):
        kind = response.get("Content-Type", "").partition(";")[0]
        is_text = kind.startswith("text/") or kind == "application/json"
        return super().process_response(request, response) if is_text else response
