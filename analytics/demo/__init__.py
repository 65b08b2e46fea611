"""The demo project: a made-up support product, so that every page has something to show before the first call.

`product` and `story` declare what it is and what happened to it, `traffic` makes its calls (pure), `project`
puts them through the inbox like anybody's.
"""

from analytics.demo.project import SLUG, ensure, fill, is_filled, remove, trickle

__all__ = ["SLUG", "ensure", "fill", "is_filled", "remove", "trickle"]
