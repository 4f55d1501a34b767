-- Voids are few. A new owner of a channel looks for those of its newest numbers that nobody has answered.
CREATE INDEX channel_log_voids ON channel_log (channel_id, seq) WHERE kind = 0;
