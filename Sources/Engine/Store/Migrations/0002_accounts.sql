-- Accounts: people and bots, their secrets, their logins, and the keys that sign access tokens.
--
-- There are no foreign keys in this schema. Each row belongs to one key (a guild, a channel, a user) whose owner is the
-- only writer, rows of different keys are written by different lanes in no common order, and a foreign key would make
-- one lane wait for the row locks of another. What belongs to one key is written in one transaction instead.
--
-- Ids are snowflakes (bigint, positive), permissions are the bit pattern of 64 unsigned bits in a bigint, texts that
-- are compared or searched have the collation "C": one order on every server, whatever locale initdb found.

CREATE TABLE users (
    id            bigint      NOT NULL PRIMARY KEY,
    accent_color  integer,
    public_flags  integer     NOT NULL DEFAULT 0,
    is_bot        boolean     NOT NULL,
    -- People's are lower-case already when they arrive here; a bot's is free.
    username      text        COLLATE "C" NOT NULL,
    discriminator text        NOT NULL,
    global_name   text,
    avatar        text,
    banner        text,
    bio           text        NOT NULL DEFAULT '',
    pronouns      text        NOT NULL DEFAULT '',
    email         text,
    locale        text        NOT NULL DEFAULT 'en-US',
    created_at    timestamptz NOT NULL
);

-- Finds a person at login and friend request, searches by the beginning of a name ("C" sorts by bytes, so LIKE 'abc%' is
-- a key range), and decides between two who register the same name at once.
CREATE UNIQUE INDEX users_username_key ON users (username) WHERE NOT is_bot;
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE email IS NOT NULL;

-- Apart from users, so that no query that reads a profile can leak a hash.
CREATE TABLE passwords (
    user_id    bigint      NOT NULL PRIMARY KEY,
    hash       text        NOT NULL,
    changed_at timestamptz NOT NULL
);

-- One login of one person: the claim `sid` of its access tokens, and the family of its refresh tokens.
CREATE TABLE logins (
    id           bigint      NOT NULL PRIMARY KEY,
    user_id      bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    ended_at     timestamptz,
    client_info  text        NOT NULL DEFAULT ''
);
CREATE INDEX logins_user ON logins (user_id) WHERE ended_at IS NULL;
-- Every node asks each few seconds which logins ended of late: their access tokens are still in date.
CREATE INDEX logins_ended ON logins (ended_at) WHERE ended_at IS NOT NULL;

-- Refresh tokens, hashed. A used one stays until it would have expired: only so is it known again when a thief or its
-- owner shows it a second time, which ends the whole family (protocol 10.1).
CREATE TABLE refresh_tokens (
    hash       bytea       NOT NULL PRIMARY KEY,
    login_id   bigint      NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
-- For the purge. Always appended at the end of the index.
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Ed25519 keys of the access tokens. A new one is known to every node before it signs (signs_from), and still checks
-- after it has stopped signing, until the last token that it signed is out of date (checks_until).
CREATE TABLE signing_keys (
    key_id       text        NOT NULL PRIMARY KEY,
    private_key  bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    signs_from   timestamptz NOT NULL,
    checks_until timestamptz NOT NULL
);

-- An application has the id of its bot user (protocol 3.1).
CREATE TABLE applications (
    id                        bigint      NOT NULL PRIMARY KEY,
    owner_id                  bigint      NOT NULL,
    flags                     integer     NOT NULL DEFAULT 0,
    bot_public                boolean     NOT NULL DEFAULT true,
    name                      text        NOT NULL,
    description               text        NOT NULL DEFAULT '',
    icon                      text,
    verify_key                text        NOT NULL DEFAULT '',
    interactions_endpoint_url text,
    created_at                timestamptz NOT NULL
);
CREATE INDEX applications_owner ON applications (owner_id, id);

-- One valid token a bot. The token carries the bot's id, so it is looked up by id and then compared by hash.
CREATE TABLE bot_tokens (
    bot_id     bigint      NOT NULL PRIMARY KEY,
    hash       bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
