"""Links out of the product: a project's templates for its tracer and its repository, filled in."""

from string import Formatter
from urllib.parse import quote, urlsplit

SCHEMES = ("http", "https")


class BadLinkError(ValueError):
    """Why a template cannot be used, as a sentence with a remedy."""


def valid_template(text: str, field: str) -> str:
    """A template with `{field}` behind its host, for instance https://git.example/commit/{release}; "" = none.

    Raises BadLinkError."""
    text = text.strip()
    if not text:
        return ""
    example = f"Write it like https://tool.example/{field}/{{{field}}}."
    try:
        parts = urlsplit(text)
        names = [name for _, name, spec, turn in Formatter().parse(text) if name is not None or spec or turn]
        host = parts.hostname
    except ValueError as problem:
        raise BadLinkError(f"This is no address. {example}") from problem
    if parts.scheme not in SCHEMES or not host or not text.isprintable() or " " in text or len(text) > 500:
        raise BadLinkError(f"Only http and https addresses can be used. {example}")
    if set(names) != {field} or "{" in parts.netloc or f"{{{field}}}" not in text:
        raise BadLinkError(f"The address needs {{{field}}} behind its host, and no other braces. {example}")
    return text


def filled(template: str, field: str, value: str | None) -> str:
    """The address with the value in place of its field; "" where there is no template or no value."""
    return template.replace(f"{{{field}}}", quote(value, safe="")) if template and value else ""
