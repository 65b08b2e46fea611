"""The formatters (`analytics.formats`), as pages know them; messages and exports use the same."""

from analytics.formats import *  # noqa: F403
