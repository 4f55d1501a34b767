-- Counts the committed changes of a guild, so that who was shown it by a former owner can be told whether it missed one.
ALTER TABLE guilds ADD COLUMN version bigint NOT NULL DEFAULT 0;
