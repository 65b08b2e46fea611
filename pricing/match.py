"""Which seeded price a provider and a model name mean: the clauses of the genai-prices package itself."""

from functools import lru_cache
from typing import NamedTuple

from pricing.names import model_names, prefix_provider, provider_of


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
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 1 s and 40 MB: only where priced

    snapshot = get_snapshot()
    provider = next((p for p in snapshot.providers if p.id == provider_id), None)
    if provider is None:
        return None
    info = provider.find_model(name, all_providers=snapshot.providers)
    if info is None:
        return None
    if any(info is listed for listed in provider.models):
        return Match(provider_id, info.id)
    owner = next(p for p in snapshot.providers if any(info is listed for listed in p.models))
    return Match(owner.id, info.id, listed=False)
