-- Who takes part in the cluster, where and with which share, and what the nodes hold of each other.

ALTER TABLE nodes
    -- Where the others reach it; empty for a node that runs alone.
    ADD COLUMN address text NOT NULL DEFAULT '',
    -- Its share of the slots, relative to the others'.
    ADD COLUMN weight double precision NOT NULL DEFAULT 1 CHECK (weight >= 0),
    -- draining: gives its slots away. left: is away until it starts again. removed: must not come back; the row stays,
    -- because a node that gets the number later has to begin its ids above high_water_ms.
    ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'draining', 'left', 'removed')),
    -- Since when its heartbeats have come without a break: a node that was away itself must not hold its own absence
    -- against the others.
    ADD COLUMN unbroken_since timestamptz NOT NULL DEFAULT clock_timestamp();

-- The voter holds the subject dead. Counts as long as the voter itself lives, in the same incarnation and without a break
-- since it wrote; a subject that has started again is another incarnation.
CREATE TABLE verdicts (
    subject             smallint    NOT NULL,
    subject_incarnation bigint      NOT NULL,
    voter               smallint    NOT NULL,
    voter_incarnation   bigint      NOT NULL,
    written_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject, voter)
);
