-- The newest message of a conversation when the person took it off their list: a later one brings it back, whoever told the person
-- of it, and whether anybody could. Null where it was closed before this was kept.
ALTER TABLE dm_members ADD COLUMN closed_after bigint;
