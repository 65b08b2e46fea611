-- Purpose: run_new gets its run series, its name as sent and its session's name (kept from before when not sent again).
UPDATE run_new r SET
    series_id = m.series_id, flow_id = m.flow_id,
    raw_id = coalesce(n.raw_id, o.raw_id), session = coalesce(n.session, o.session)
FROM run_new self
JOIN series_of_set m ON m.project_id = self.project_id AND m.series_set = self.series_set
LEFT JOIN run_name n ON n.project_id = self.project_id AND n.id = self.id
LEFT JOIN run_delta o ON o.sign = -1 AND o.project_id = self.project_id AND o.id = self.id
WHERE r.project_id = self.project_id AND r.id = self.id
