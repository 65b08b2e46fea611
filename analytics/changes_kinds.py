"""The kinds of changes, declared once: what of a series tells of each, and where its first sight is news. Pure."""

from dataclasses import dataclass

STAND_IN = "fp-"  # how a fingerprint that stands in for a prompt's version begins (analytics/stand_ins.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of change.

    `column`: the column of a series whose new values are noticed, "" = only declared (or, price, from the price
    book). `slot`: which calls of a flow a new value is compared with: those that are equal in these columns.
    `shared`: the same value on several flows within days is one change. `variant`: something that evals can try
    before. `dimension`: what the query engine filters by to find the calls that carry it."""

    name: str
    column: str = ""
    slot: tuple[str, ...] = ()
    subject: str = ""
    shared: bool = False
    variant: bool = False

    @property
    def dimension(self) -> str:
        """The dimension of the value; the engine names them as the series' columns."""
        return self.column


PLACE = ("step", "operation")
_KINDS = (
    Kind(name="prompt", column="prompt_version", slot=PLACE, subject="prompt", variant=True),
    Kind(name="model", column="model", slot=PLACE, variant=True),
    Kind(name="snapshot", column="response_model", slot=(*PLACE, "provider", "model"), subject="model", shared=True,
         variant=True),
    Kind(name="provider", column="provider", slot=PLACE),
    Kind(name="service_tier", column="service_tier", slot=(*PLACE, "provider", "model")),
    Kind(name="retrieval", column="retrieval", shared=True, variant=True),
    Kind(name="route"),
    Kind(name="price", shared=True),
    Kind(name="release", column="release", shared=True),
    Kind(name="deploy"),
    Kind(name="judge"),
    Kind(name="fingerprint", column="prompt_version", slot=(*PLACE, "prompt"), subject="prompt", variant=True),
    Kind(name="other"),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
NOTICEABLE = tuple(kind for kind in _KINDS if kind.column)


def is_stand_in(version: str | None) -> bool:
    """Whether a prompt version is a fingerprint that stands in for one."""
    return version is not None and version.startswith(STAND_IN)
