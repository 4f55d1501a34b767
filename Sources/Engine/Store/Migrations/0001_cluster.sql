-- Who runs, who owns which slot, and the fences that let only the owner commit.

-- One row per node that was ever let in. Its incarnation grows with every start.
CREATE TABLE nodes (
    id smallint PRIMARY KEY CHECK (id BETWEEN 0 AND 1023),
    name text NOT NULL,
    incarnation bigint NOT NULL CHECK (incarnation > 0),
    -- How many lanes this incarnation writes through: slot s goes through lane s modulo lanes.
    lanes smallint NOT NULL CHECK (lanes > 0),
    -- Ids of this node carry a time below this (milliseconds since 1970); a restart begins above it.
    high_water_ms bigint NOT NULL,
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz NOT NULL DEFAULT now()
);

-- The truth about ownership. A slot without a row has never been owned.
CREATE TABLE leases (
    slot smallint PRIMARY KEY CHECK (slot BETWEEN 0 AND 1023),
    node smallint NOT NULL,
    incarnation bigint NOT NULL,
    -- Grows by one at every acquisition.
    epoch bigint NOT NULL CHECK (epoch > 0),
    acquired_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX leases_by_owner ON leases (node, incarnation);

-- The fence of each lane. A batch commits only while gen is what the lane believes; batch tells whether one whose
-- answer was lost is in.
CREATE TABLE lanes (
    node smallint NOT NULL,
    incarnation bigint NOT NULL,
    lane smallint NOT NULL,
    gen bigint NOT NULL DEFAULT 1,
    batch bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (node, incarnation, lane)
) WITH (fillfactor = 10);
