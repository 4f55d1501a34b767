-- What belongs to one person (written by their User actor through the lane of the user's slot), DMs, and the outbox that
-- carries changes from one key to another.

-- One side of a relationship. Each side is its own row, belongs to its own user, and holds what that user has said (own_)
-- and the last that was heard from the other (peer_), each under a version that grows. What the two are to each other
-- follows from these two halves; both sides compute it from the same ones as soon as each has heard the other's last
-- word, which travels through the outbox (I11). A row stays when the two are nothing to each other any more, because a
-- word that comes late must still be known to be old.
CREATE TABLE relationships (
    user_id        bigint      NOT NULL,
    other_id       bigint      NOT NULL,
    -- What follows from the halves: 0 none, 1 friend, 2 blocked, 3 incoming, 4 outgoing (protocol 9.1).
    kind           smallint    NOT NULL,
    own_blocks     boolean     NOT NULL,
    peer_blocks    boolean     NOT NULL,
    since          timestamptz NOT NULL,
    own_version    bigint      NOT NULL,
    -- The version in which friendship was asked for or accepted; 0: it is not wanted.
    own_want       bigint      NOT NULL,
    -- The other one's wishes up to this version are declined or over.
    own_dismissed  bigint      NOT NULL,
    peer_version   bigint      NOT NULL,
    peer_want      bigint      NOT NULL,
    peer_dismissed bigint      NOT NULL,
    nickname       text,
    PRIMARY KEY (user_id, other_id)
);

-- The DM of two people, the lesser id first: one for ever. The only row that both ends may want to write at once, so it
-- is inserted outside the lanes, and its key decides.
CREATE TABLE dm_pairs (
    low_user_id  bigint NOT NULL,
    high_user_id bigint NOT NULL,
    channel_id   bigint NOT NULL,
    PRIMARY KEY (low_user_id, high_user_id)
);

-- A person's list of DMs and group DMs. Who is in a channel stands in channels.recipients.
CREATE TABLE dm_members (
    user_id    bigint  NOT NULL,
    channel_id bigint  NOT NULL,
    is_open    boolean NOT NULL,
    PRIMARY KEY (user_id, channel_id)
);

-- Overwritten in place at most once a second, key and person: the free space keeps the new version on the same page, and
-- no index covers what changes, so that an update touches no index.
CREATE TABLE read_states (
    user_id         bigint      NOT NULL,
    channel_id      bigint      NOT NULL,
    last_message_id bigint      NOT NULL,
    -- Mentions that the person marked as unread by hand; those of later messages are counted from the messages.
    mention_count   integer     NOT NULL DEFAULT 0,
    version         bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, channel_id)
) WITH (fillfactor = 70);

-- How far the people of a DM have read, where they let others know (protocol 10.3).
CREATE TABLE receipts (
    channel_id bigint      NOT NULL,
    user_id    bigint      NOT NULL,
    message_id bigint      NOT NULL,
    seq        bigint      NOT NULL,
    read_at    timestamptz NOT NULL,
    PRIMARY KEY (channel_id, user_id)
) WITH (fillfactor = 70);

CREATE TABLE user_settings (
    user_id  bigint NOT NULL PRIMARY KEY,
    -- UTF-8 JSON object, at most 64 KiB (protocol 9.5).
    settings bytea  NOT NULL
);

CREATE TABLE user_guild_settings (
    user_id  bigint NOT NULL,
    guild_id bigint NOT NULL,
    settings bytea  NOT NULL,
    PRIMARY KEY (user_id, guild_id)
);

CREATE TABLE notes (
    user_id  bigint NOT NULL,
    other_id bigint NOT NULL,
    note     text   NOT NULL,
    PRIMARY KEY (user_id, other_id)
);

-- What a change of one key means for another (I11): written in the transaction of the change, delivered at least once,
-- and deleted in the transaction that applies it, so that a row that is here is a row that was not applied.
CREATE TABLE outbox (
    -- Grows with each row of one sender, so that what one sender says is applied in order.
    id          bigint      NOT NULL PRIMARY KEY,
    -- What sort of actor it is for, that actor's key, and the slot of that key, whose owner looks for it.
    target_kind smallint    NOT NULL,
    target_slot smallint    NOT NULL,
    target_key  bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    -- What it says; the target's business.
    payload     bytea       NOT NULL
);
CREATE INDEX outbox_target ON outbox (target_slot, target_key, id);

-- Takes a row out of the outbox. One that is not there was applied before: the whole mutation that wanted to apply it
-- again is refused.
CREATE FUNCTION take_from_outbox(wanted bigint) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM outbox WHERE id = wanted;
    IF NOT FOUND THEN
        RAISE unique_violation USING MESSAGE = 'outbox row was applied before', CONSTRAINT = 'outbox_applied_once';
    END IF;
END $$;

-- Files that were uploaded, by the id that stands in their address. A file whose message was never written is found by
-- its age and the message's absence.
CREATE TABLE attachments (
    id           bigint      NOT NULL PRIMARY KEY,
    channel_id   bigint      NOT NULL,
    uploader_id  bigint      NOT NULL,
    size         bigint      NOT NULL,
    width        integer,
    height       integer,
    filename     text        NOT NULL,
    content_type text,
    created_at   timestamptz NOT NULL
);
