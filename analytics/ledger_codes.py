"""How words stand in the ledger: small numbers, declared once."""

COST_STATUSES = (
    "priced",
    "reported",
    "partial",  # a unit without a price
    "unpriced",  # no price
    "unpriced",  # no usage
    "unpriced",  # no exchange rate
    "not_billed",
    "partial",  # a count is missing
)
COST_REASONS = (None, None, "no_price", "no_price", "no_usage", "no_rate", None, "no_usage")
PRICED, REPORTED, PARTIAL, NO_PRICE, NO_USAGE, NO_RATE, NOT_BILLED, PARTIAL_NO_USAGE = range(8)
PARTIALS = (PARTIAL, PARTIAL_NO_USAGE)
UNPRICED = (NO_PRICE, NO_USAGE, NO_RATE)
QUEUED = (NO_PRICE, PARTIAL)  # what an entry in the price book can cure

STATUS_CODES = {
    ("priced", None): PRICED,
    ("reported", None): REPORTED,
    ("partial", "no_price"): PARTIAL,
    ("partial", "no_usage"): PARTIAL_NO_USAGE,
    ("unpriced", "no_price"): NO_PRICE,
    ("unpriced", "no_usage"): NO_USAGE,
    ("not_billed", None): NOT_BILLED,
}

# Outcome of a run.
UNKNOWN, SUCCESS, FAILURE = 0, 1, 2
OUTCOMES = ("unknown", "success", "failure")

# What is wrong with a run on the face of it, as bits (analytics/sql/roll_signs.sql): 1 cut off, 2 filtered,
# 4 empty answer; and what only its spans tell:
FAILED_TOOL = 8
