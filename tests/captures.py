"""Recorded requests of real client libraries, where the shared data is there, and what they are known to hold."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.records import CallRecord
from tests.shared import shared


class Recorded(NamedTuple):
    """One request as received, inflated: its path and whether it is JSON."""

    name: str
    path: str
    body: bytes
    json: bool


def recorded(capture: str, path_end: str = "traces") -> list[Recorded]:
    """Requests of a capture set in arrival order, of paths with that end; skips the test where it is absent."""
    return list(_requests(capture, path_end))


def _requests(capture: str, path_end: str) -> Iterator[Recorded]:
    for meta_file in sorted(shared(f"captures/{capture}").glob("*.meta.json")):
        meta = json.loads(meta_file.read_text())
        if not meta["path"].endswith(path_end):
            continue
        stem = meta_file.name.removesuffix(".meta.json")
        file = next(f for f in (meta_file.with_name(stem + end) for end in (".bin", ".json")) if f.exists())
        body = file.read_bytes()
        headers = {key.lower(): value for key, value in meta["headers"].items()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        yield Recorded(file.name, meta["path"], body, "json" in headers.get("content-type", ""))


def single_spans(request: Recorded) -> list[bytes]:
    """The request's spans as requests of one span each, in its encoding."""
    if request.json:
        return [json.dumps(body).encode() for body in _single_json(json.loads(request.body))]
    whole = ExportTraceServiceRequest.FromString(request.body)
    singles = []
    for of_resource in whole.resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                one = ExportTraceServiceRequest()
                target = one.resource_spans.add(resource=of_resource.resource)
                target.scope_spans.add(scope=of_scope.scope, spans=[span])
                singles.append(one.SerializeToString())
    return singles


def _single_json(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for of_resource in whole["resourceSpans"]:
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                yield {
                    "resourceSpans": [
                        {
                            "resource": of_resource["resource"],
                            "scopeSpans": [{"scope": of_scope["scope"], "spans": [span]}],
                        }
                    ]
                }


def truth(capture: str) -> dict[str, Any]:
    """What TRUTH.json knows of a capture set; skips the test where it is absent."""
    found: dict[str, Any] = json.loads(shared("captures/TRUTH.json").read_text())[capture]
    return found


def expected(capture: str) -> dict[str, Any]:
    """`expected_from_telemetry` of a capture set."""
    found: dict[str, Any] = truth(capture)["expected_from_telemetry"]
    return found


def figures(calls: Iterable[CallRecord]) -> dict[str, Any]:
    """The figures that `expected_from_telemetry` names, of resolved calls."""
    calls = list(calls)
    good = [call for call in calls if not call.failed]
    sums = {
        "input_total": ("input", "cache_read", "cache_write", "cache_write_1h", "audio_input"),
        "output_total": ("output", "reasoning", "audio_output"),
        "cache_read": ("cache_read",),
        "cache_write": ("cache_write", "cache_write_1h"),
        "reasoning": ("reasoning",),
    }
    found: dict[str, Any] = {
        name: sum(getattr(call.tokens, bucket) or 0 for call in calls for bucket in buckets)
        for name, buckets in sums.items()
    }
    found["llm_calls_succeeded"] = len(good)
    found["llm_calls_failed"] = len(calls) - len(good)
    found["succeeded_calls_without_token_counts"] = sum(call.tokens.input is None for call in good)
    for dimension in ("flow", "user", "session"):
        by = Counter(getattr(call, dimension) or "(none)" for call in good)
        found[f"succeeded_calls_by_{dimension}"] = dict(by)
    return found
