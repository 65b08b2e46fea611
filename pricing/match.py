"""Which seeded price a provider and a model name mean: the clauses of the genai-prices package itself."""

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from pricing.names import model_names, prefix_provider, provider_of

_COMPACT_DATE = re.compile(r"\d{8}")


class Match(NamedTuple):
    """Owner of the price, its canonical model id, and whether the asked provider itself lists it.

    Azure resells OpenAI's models at OpenAI's prices, but not OpenAI's service tiers: then `listed` is False.
    """

    provider: str
    model: str
    listed: bool = True


@lru_cache(maxsize=16384)
def find(provider: str | None, model: str) -> Match | None:
    """The seeded price that (`provider`, `model`) mean, both as sent, or None.

    The model is tried with its prefix and without, at the given provider; then at the provider that its own
    prefix names, since a client that speaks OpenAI's protocol is often pointed elsewhere. A provider that
    the book does not know (`ollama`, a gateway of one's own) is not guessed at from the model's name.
    """
    asked = provider_of(provider, model)
    if asked is None:
        return None
    names = model_names(model)
    for candidate in dict.fromkeys((asked, prefix_provider(model.strip().lower()) or asked)):
        for name in names:
            found = _find_exactly(candidate, name)
            if found is not None:
                return found
    return None


def _find_exactly(provider_id: str, name: str) -> Match | None:
    provider, everyone = _provider(provider_id)
    if provider is None or not _may_match(provider_id)(name):
        return None
    info = provider.find_model(name, all_providers=everyone)
    if info is None:
        return None
    if any(info is listed for listed in provider.models):
        return Match(provider_id, info.id)
    owner = next(p for p in everyone if any(info is listed for listed in p.models))
    return Match(owner.id, info.id, listed=False)


def _provider(provider_id: str) -> tuple[Any, list[Any]]:
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 1 s and 40 MB: only where priced

    everyone = get_snapshot().providers
    return next((p for p in everyone if p.id == provider_id), None), everyone


@cache
def _may_match(provider_id: str) -> Callable[[str], bool]:
    """A quick test that lets through every name that some clause of the provider could match.

    Clauses are only ever joined by "or" and "and", so a name that meets no single one meets none. It makes
    a name that nobody knows cost 0.03 to 0.2 ms instead of up to 5: names can be new on every call.
    """
    provider, everyone = _provider(provider_id)
    sources = [provider, *(p for p in everyone if p.id in (provider.fallback_model_providers or ()))]
    leaves = [leaf for source in sources for model in source.models for leaf in _leaves(model.match)]
    if not all(kind in _KINDS for kind, _ in leaves):
        return lambda name: True
    texts = {kind: {text.lower() for k, text in leaves if k == kind} for kind in _KINDS[:-1]}
    equals, starts, ends = texts["equals"], tuple(texts["starts_with"]), tuple(texts["ends_with"])
    contains = re.compile("|".join(map(re.escape, texts["contains"])) or r"(?!)")
    patterns = [re.compile(text) for text in {text for kind, text in leaves if kind == "regex"}]
    return lambda name: (
        name in equals
        or name.startswith(starts)
        or name.endswith(ends)
        or contains.search(name) is not None
        or _COMPACT_DATE.search(name) is not None  # the package also tries it with dashes
        or any(pattern.search(name) for pattern in patterns)
    )


_KINDS = ("equals", "starts_with", "ends_with", "contains", "regex")


def _leaves(clause: Any) -> Iterator[tuple[str, str]]:
    """The single clauses under a clause, as (kind, text); an unknown kind as its own name."""
    parts = getattr(clause, "or_", None) or getattr(clause, "and_", None)
    if parts:
        for part in parts:
            yield from _leaves(part)
        return
    for kind in _KINDS:
        if hasattr(clause, kind):
            yield kind, getattr(clause, kind)
            return
    yield type(clause).__name__, ""
