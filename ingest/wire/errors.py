"""What kind of failure a call met: one table from error types, HTTP status and messages to an error class."""

import re

# Looked up whole, lower-cased and without its module: `openai.RateLimitError` -> `ratelimiterror`.
_TYPES: dict[str, str] = {
    "rate_limit": (
        "ratelimiterror ratelimit rate_limit rate_limit_error rate_limit_exceeded toomanyrequests "
        "toomanyrequestserror too_many_requests throttlingexception throttlingerror throttled "
        "resourceexhausted resource_exhausted quotaexceeded quota_exceeded insufficient_quota "
        "servicequotaexceededexception requests tokens usage_limit_reached"
    ),
    "overloaded": (
        "overloaded overloadederror overloaded_error serviceunavailable serviceunavailableerror "
        "service_unavailable unavailable modelnotreadyexception engine_overloaded capacity_exceeded "
        "serviceunavailableexception slow_down server_overloaded"
    ),
    "timeout": (
        "timeout timeouterror timeoutexception apitimeouterror timeout_error readtimeout connecttimeout "
        "writetimeout pooltimeout deadlineexceeded deadline_exceeded request_timeout etimedout "
        "asynciotimeouterror modeltimeoutexception gateway_timeout gatewaytimeout requesttimeouterror"
    ),
    "provider_fault": (
        "internalservererror internal_server_error server_error api_error apierror serviceerror "
        "badgatewayerror bad_gateway apiconnectionerror connectionerror connecterror connect_error "
        "econnrefused econnreset remoteprotocolerror modelerrorexception internalserverexception "
        "internal apiresponsevalidationerror readerror connectionreseterror connectionrefusederror "
        "servererror"
    ),
    "our_request": (
        "badrequesterror bad_request badrequest invalid_request_error invalidrequesterror notfounderror "
        "not_found not_found_error model_not_found unprocessableentityerror unprocessable_entity "
        "conflicterror validationerror validationexception invalid_argument invalidargument "
        "request_too_large contextwindowexceedederror context_length_exceeded context_window_exceeded "
        "modelnotfounderror string_above_max_length unsupported_value invalid_prompt "
        "unsupportedparamserror resourcenotfoundexception jsondecodeerror typeerror valueerror keyerror "
        "invalid_value"
    ),
    "authentication": (
        "authenticationerror authentication_error permissiondeniederror permission_error "
        "permission_denied permissiondenied unauthenticated unauthorized forbidden invalid_api_key "
        "accessdeniedexception account_deactivated unrecognizedclientexception billing_error "
        "expiredtokenexception"
    ),
    "content_filter": (
        "content_filter contentfiltererror contentpolicyviolationerror content_policy_violation "
        "contentfilterfinishreasonerror responsibleaipolicyviolation safety prohibited_content "
        "guardrailintervened guardrail_intervened guardrailraisedexception moderation_blocked"
    ),
    "cancelled": (
        "cancelled canceled cancellederror cancelederror aborterror abort_error aborted "
        "apiuseraborterror keyboardinterrupt generatorexit clientdisconnect client_closed_request"
    ),
}
_BY_TYPE: dict[str, str] = {word: name for name, words in _TYPES.items() for word in words.split()}
_BY_STATUS: dict[int, str] = {
    401: "authentication",
    402: "authentication",
    403: "authentication",
    408: "timeout",
    425: "rate_limit",
    429: "rate_limit",
    499: "cancelled",
    503: "overloaded",
    504: "timeout",
    524: "timeout",
    529: "overloaded",
}
# Only where neither type nor status decided: words of a provider's message, the telling ones first.
_BY_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"content.?(filter|policy|management)|safety|moderation|guardrail", "content_filter"),
        (r"rate.?limit|too many requests|quota|throttl", "rate_limit"),
        (r"overloaded|service.?unavailable|at capacity", "overloaded"),
        (r"time[d ]?.?out|deadline", "timeout"),
        (r"cancel|abort", "cancelled"),
        (r"auth|permission|forbidden|api.?key|access.?denied", "authentication"),
        (r"context.?(length|window)|bad.?request|invalid|not.?found|unprocessable|validation", "our_request"),
        (r"internal|server.?error|connection|bad.?gateway|upstream", "provider_fault"),
    )
)
_STATUS_IN_TEXT = re.compile(
    r"(?:^|status(?: code)?[:= ]+|http[ _/]?|error code: )([45]\d\d)(?!\d)", re.IGNORECASE
)


def error_class_of(error_type: str | None, status: int | None = None) -> str:
    """Class of a FAILED call, one of `records.ERROR_CLASSES` but never "".

    `error_type` is a class name (`openai.RateLimitError`), a provider's code (`rate_limit_exceeded`), an HTTP
    status as text (`429`) or a message; `status` the HTTP status when known. The exact type decides first, a
    generic one ("APIError", "server_error") yields to the status; then the status; then words. Never raises.
    """
    text = (error_type or "").strip()[:500]
    word = text.rsplit(".", 1)[-1].lower().replace("-", "_")
    named = _BY_TYPE.get(word)
    if named is not None and (status is None or named not in {"provider_fault", "our_request"}):
        return named
    code = status if status is not None else status_in(text)
    if code is not None and code >= 400:
        return _of_status(code, text)
    return named or _of_words(text) or "other"


def status_in(text: str) -> int | None:
    """The HTTP status that a message names (`Error code: 429 - …`), or None."""
    found = _STATUS_IN_TEXT.search(text)
    return int(found.group(1)) if found else None


def _of_status(code: int, text: str) -> str:
    if code in (400, 422) and _of_words(text) == "content_filter":
        return "content_filter"
    return _BY_STATUS.get(code) or ("our_request" if code < 500 else "provider_fault")


def _of_words(text: str) -> str | None:
    return next((name for pattern, name in _BY_WORDS if pattern.search(text)), None)
