-- What the edge was, or would have been, answered to requests that changed a guild or what belongs to a person: when the owner
-- that carried one out died before its answer arrived, the edge asks the next owner, who finds here that it has been done (I4).
-- A row is written in the mutation that it tells of, and is of use for as long as an edge repeats a request: a minute.
CREATE TABLE performed_commands (
    -- The guild or the person.
    target_key      bigint      NOT NULL,
    -- The edge's own name for the request.
    idempotency_key bigint      NOT NULL,
    performed_at    timestamptz NOT NULL,
    -- The answer's status and its JSON, which may be empty.
    status          smallint    NOT NULL,
    body            bytea       NOT NULL,
    PRIMARY KEY (target_key, idempotency_key)
);
CREATE INDEX performed_commands_by_time ON performed_commands (performed_at);
