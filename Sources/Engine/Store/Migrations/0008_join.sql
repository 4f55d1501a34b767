-- Which cluster this is, who lets whom in, and by which certificates its nodes know each other.

-- One row, made with the cluster: whoever brings another identity belongs elsewhere.
CREATE TABLE cluster (
    is_only    boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (is_only),
    id         bytea       NOT NULL CHECK (octet_length(id) = 16),
    -- SHA-256 of the authority's certificate.
    authority  bytea       NOT NULL CHECK (octet_length(authority) = 32),
    founded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE nodes
    -- SHA-256 of the node's public key: tells a node that asks again from another one.
    ADD COLUMN key_fingerprint bytea CHECK (octet_length(key_fingerprint) = 32),
    ADD COLUMN joined_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- A removed node's name is free again.
CREATE UNIQUE INDEX nodes_name ON nodes (name) WHERE state <> 'removed';

-- The certificates that handshakes accept. A node has two while one takes the place of the other; a removed one has none.
CREATE TABLE node_certificates (
    fingerprint bytea       NOT NULL PRIMARY KEY CHECK (octet_length(fingerprint) = 32),
    node        smallint    NOT NULL REFERENCES nodes (id),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX node_certificates_by_node ON node_certificates (node);

-- What lets a node in, once. The secret itself is kept nowhere.
CREATE TABLE join_tokens (
    -- SHA-256 of the secret.
    hash       bytea       NOT NULL PRIMARY KEY CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    used_by    smallint REFERENCES nodes (id),
    CHECK ((used_at IS NULL) = (used_by IS NULL))
);
