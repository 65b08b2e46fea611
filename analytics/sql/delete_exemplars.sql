-- Purpose: a day's exemplars go before they are picked again.
DELETE FROM exemplar WHERE project_id = %(project)s AND bucket >= %(start)s AND bucket < %(end)s
