-- Messages, their reactions, and the rest of each channel's log.
--
-- Layout. Messages and reactions are partitioned by ranges of the message id. An id grows with time, so a partition is a
-- stretch of time (2^54 ids = 2^32 ms, about 50 days), and to forget everything older than a date is to drop
-- partitions: no row is touched, nothing has to be vacuumed. The alternative, hashing by channel, spreads load no better
-- (one disk) and makes retention a DELETE of most of the database. Within a partition the key is (channel_id, id), so a
-- page of history is one key range; partitions are ordered, so the newest page reads the newest partition alone and goes
-- on to older ones only where it has to.
--
-- Sequence numbers. (channel_id, seq) is unique within each partition; Postgres has no index across partitions without
-- the partition key in it. It is the second line of defence: the first is the fence (design 6), behind which there is
-- one writer, and two writers that both believed in their lease would collide within seconds of each other, that is,
-- within one partition.

CREATE TABLE messages (
    channel_id       bigint   NOT NULL,
    id               bigint   NOT NULL,
    seq              bigint   NOT NULL,
    epoch            bigint   NOT NULL,
    author_id        bigint   NOT NULL,
    -- Of the deletion's own log entry. A tombstone has lost its content but keeps its place in the log and its nonce.
    deleted_seq      bigint,
    deleted_at       timestamptz,
    edited_at        timestamptz,
    -- The one place that says what is pinned; messages.pinned of the API is whether this is set.
    pinned_at        timestamptz,
    flags            integer  NOT NULL,
    kind             smallint NOT NULL,
    tts              boolean  NOT NULL,
    mention_everyone boolean  NOT NULL,
    content          text     NOT NULL,
    -- As the client sent it: the text of a JSON string or number. NULL where there was none.
    nonce            text,
    -- The sender's idempotency key where there was no nonce (I4).
    idempotency_key  bigint,
    mentions         bigint[],
    mention_roles    bigint[],
    -- UTF-8 JSON of what only the reader of the message needs: embeds, attachments, components, reference, webhook …
    -- bytea and not json: it is read back as a whole, so that parsing it on the way in would be wasted.
    extras           bytea,
    PRIMARY KEY (channel_id, id)
) PARTITION BY RANGE (id);

-- What mentions somebody, for counting unread mentions; other messages are not in it and pay nothing. The condition of a
-- query must repeat this one word for word for the planner to see that the index answers it.
CREATE INDEX messages_mentioning ON messages (channel_id, id)
    WHERE mention_everyone OR mentions IS NOT NULL OR mention_roles IS NOT NULL;
-- For the purge of tombstones; costs nothing but at a deletion.
CREATE INDEX messages_deleted ON messages (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX messages_pinned ON messages (channel_id, pinned_at) WHERE pinned_at IS NOT NULL;

-- One row a person, message and emoji. `seq` of the event puts the emoji of a message into the order in which they came.
CREATE TABLE reactions (
    channel_id     bigint  NOT NULL,
    message_id     bigint  NOT NULL,
    user_id        bigint  NOT NULL,
    seq            bigint  NOT NULL,
    -- Whether the picture of a custom emoji moves.
    emoji_animated boolean NOT NULL,
    -- A Unicode emoji, or name:id of a custom one.
    emoji          text    COLLATE "C" NOT NULL,
    PRIMARY KEY (channel_id, message_id, emoji, user_id)
) PARTITION BY RANGE (message_id);

-- The channel's log but for the creates, whose entries are their message rows. Kept for seven days.
CREATE TABLE channel_log (
    channel_id bigint      NOT NULL,
    seq        bigint      NOT NULL,
    epoch      bigint      NOT NULL,
    message_id bigint,
    created_at timestamptz NOT NULL,
    -- The event's number (EventKind), or 0: a void entry, whose event did not come to be.
    kind       smallint    NOT NULL,
    -- The event's body as JSON in UTF-8; empty in a void entry.
    payload    bytea       NOT NULL,
    PRIMARY KEY (channel_id, seq)
);
-- For the purge. Always appended at the end of the index.
CREATE INDEX channel_log_created ON channel_log (created_at);

-- What purge and retention took from a channel, so that its numbers go on from where they were and a client that asks
-- for what is gone is told so. Written only when something is taken.
CREATE TABLE channel_floors (
    channel_id      bigint NOT NULL PRIMARY KEY,
    -- The greatest seq that is no longer in the log, and its epoch.
    seq             bigint NOT NULL,
    epoch           bigint NOT NULL,
    -- The greatest message id that was dropped; 0 if none.
    last_message_id bigint NOT NULL
);

-- Partition n holds the ids from n * 2^54 up to (n + 1) * 2^54.
CREATE FUNCTION message_partition_start(number bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$ SELECT number << 54 $$;

-- Makes the partition of `family` (messages or reactions) for [lower, upper), with what belongs to each.
CREATE FUNCTION create_message_partition(family text, suffix text, lower_bound bigint, upper_bound bigint) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    name text := format('%s_%s', family, suffix);
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)', name, family,
        coalesce(lower_bound::text, 'MINVALUE'), coalesce(upper_bound::text, 'MAXVALUE'));
    IF family = 'messages' THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (channel_id, seq)', name || '_channel_id_seq_key', name);
        -- Mostly appended to: vacuum early enough that index-only scans and freezing keep up, analyse while it grows, so
        -- that no plan made for an empty table survives for long.
        EXECUTE format('ALTER TABLE %I SET (autovacuum_analyze_scale_factor = 0.02, '
            'autovacuum_vacuum_insert_scale_factor = 0.1)', name);
    END IF;
END $$;

-- Makes sure that the partitions up to and with the one of `newest` exist, and one beyond. The last partition has no
-- upper bound, so that no insert ever finds no place; it is replaced while it is empty, which it is as long as this is
-- called once in a partition's time (the node does so daily). Returns how many partitions were made.
CREATE FUNCTION extend_message_partitions(newest bigint) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    wanted   bigint := (newest >> 54) + 1;
    present  bigint;
    occupied boolean;
    made     integer := 0;
    family   text;
BEGIN
    -- Two nodes may call this at the same time.
    PERFORM pg_advisory_xact_lock(hashtext('extend_message_partitions'));
    FOREACH family IN ARRAY ARRAY['messages', 'reactions'] LOOP
        SELECT max(substring(relid::text FROM '[0-9]+$')::bigint) INTO present
            FROM pg_partition_tree(family::regclass) WHERE isleaf AND relid::text ~ '_p[0-9]+$';
        CONTINUE WHEN present >= wanted;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', family || '_future') INTO occupied;
        IF occupied THEN
            RAISE WARNING 'messages from the future: %_future is in use and will not be split', family;
            CONTINUE;
        END IF;
        EXECUTE format('DROP TABLE %I', family || '_future');
        FOR number IN present + 1 .. wanted LOOP
            PERFORM create_message_partition(family, 'p' || number,
                message_partition_start(number), message_partition_start(number + 1));
            made := made + 1;
        END LOOP;
        PERFORM create_message_partition(family, 'future', message_partition_start(wanted + 1), NULL);
    END LOOP;
    RETURN made;
END $$;

-- Drops the partitions that hold nothing but messages below `oldest`, and notes in channel_floors what they held, so
-- that no channel gives a number or an id a second time. Returns how many messages' partitions were dropped.
CREATE FUNCTION drop_messages_before(oldest bigint) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    number  bigint;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('extend_message_partitions'));
    FOR number IN
        SELECT substring(relid::text FROM '[0-9]+$')::bigint FROM pg_partition_tree('messages')
        WHERE isleaf AND relid::text ~ '_p[0-9]+$' ORDER BY 1
    LOOP
        EXIT WHEN message_partition_start(number + 1) > oldest;
        EXECUTE format('INSERT INTO channel_floors AS f (channel_id, seq, epoch, last_message_id) '
            'SELECT channel_id, max(seq), max(epoch), max(id) FROM %I GROUP BY channel_id '
            'ON CONFLICT (channel_id) DO UPDATE SET seq = greatest(f.seq, excluded.seq), '
            'epoch = greatest(f.epoch, excluded.epoch), '
            'last_message_id = greatest(f.last_message_id, excluded.last_message_id)', 'messages_p' || number);
        EXECUTE format('DROP TABLE %I', 'messages_p' || number);
        EXECUTE format('DROP TABLE IF EXISTS %I', 'reactions_p' || number);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

-- The first partitions: everything before now (imports), and then as extend_message_partitions goes on.
DO $$
DECLARE
    now_id  bigint := ((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1420070400000) << 22;
    current bigint := now_id >> 54;
    family  text;
BEGIN
    FOREACH family IN ARRAY ARRAY['messages', 'reactions'] LOOP
        PERFORM create_message_partition(family, 'past', NULL, message_partition_start(current));
        PERFORM create_message_partition(family, 'p' || current,
            message_partition_start(current), message_partition_start(current + 1));
        PERFORM create_message_partition(family, 'future', message_partition_start(current + 1), NULL);
    END LOOP;
    PERFORM extend_message_partitions(now_id);
END $$;

-- Raised by the lanes' inserts where a row is there already but is not the row that is being written: a second writer,
-- or a number given twice. Never to be passed over.
CREATE FUNCTION refuse_conflict(relation text, channel bigint, number bigint) RETURNS bigint
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE unique_violation USING
        MESSAGE = format('%s: channel %s has another entry %s', relation, channel, number),
        CONSTRAINT = relation || '_conflict', TABLE = relation;
END $$;
