-- Guilds and what belongs to them. All of it is written by the Guild actor through the lane of the guild's slot, and
-- read as a whole when the actor is activated: hence primary keys that begin with the guild, one key range each.

CREATE TABLE guilds (
    id                            bigint      NOT NULL PRIMARY KEY,
    owner_id                      bigint      NOT NULL,
    afk_channel_id                bigint,
    system_channel_id             bigint,
    rules_channel_id              bigint,
    public_updates_channel_id     bigint,
    afk_timeout                   integer     NOT NULL DEFAULT 300,
    system_channel_flags          integer     NOT NULL DEFAULT 0,
    verification_level            smallint    NOT NULL DEFAULT 0,
    default_message_notifications smallint    NOT NULL DEFAULT 0,
    explicit_content_filter       smallint    NOT NULL DEFAULT 0,
    nsfw_level                    smallint    NOT NULL DEFAULT 0,
    name                          text        NOT NULL,
    icon                          text,
    splash                        text,
    banner                        text,
    description                   text,
    preferred_locale              text        NOT NULL DEFAULT 'en-US',
    features                      text[]      NOT NULL DEFAULT '{}',
    created_at                    timestamptz NOT NULL,
    -- A deleted guild vanishes at once; its rows go in small steps afterwards (Maintenance), not in one huge transaction.
    deleted_at                    timestamptz
);
CREATE INDEX guilds_deleted ON guilds (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE roles (
    guild_id        bigint  NOT NULL,
    id              bigint  NOT NULL,
    permissions     bigint  NOT NULL,
    bot_id          bigint,
    color           integer NOT NULL DEFAULT 0,
    secondary_color integer,
    tertiary_color  integer,
    position        integer NOT NULL,
    hoist           boolean NOT NULL DEFAULT false,
    managed         boolean NOT NULL DEFAULT false,
    mentionable     boolean NOT NULL DEFAULT false,
    name            text    NOT NULL,
    icon            text,
    unicode_emoji   text,
    PRIMARY KEY (guild_id, id)
);

-- Guild channels, DMs and group DMs. Counters of messages are not here: they are read from the messages themselves, so
-- that a message costs no update of a hot row.
CREATE TABLE channels (
    id               bigint      NOT NULL PRIMARY KEY,
    guild_id         bigint,
    parent_id        bigint,
    owner_id         bigint,
    position         integer     NOT NULL DEFAULT 0,
    slowmode_seconds integer     NOT NULL DEFAULT 0,
    bitrate          integer     NOT NULL DEFAULT 64000,
    user_limit       integer     NOT NULL DEFAULT 0,
    kind             smallint    NOT NULL,
    nsfw             boolean     NOT NULL DEFAULT false,
    name             text        NOT NULL DEFAULT '',
    topic            text,
    icon             text,
    -- Of a DM or a group DM, in the order in which they joined; both ends of a DM.
    recipients       bigint[]    NOT NULL DEFAULT '{}',
    last_pin_at      timestamptz,
    deleted_at       timestamptz
);
CREATE INDEX channels_guild ON channels (guild_id, id) WHERE guild_id IS NOT NULL;
CREATE INDEX channels_deleted ON channels (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE overwrites (
    guild_id    bigint   NOT NULL,
    channel_id  bigint   NOT NULL,
    target_id   bigint   NOT NULL,
    allow_bits  bigint   NOT NULL,
    deny_bits   bigint   NOT NULL,
    target_kind smallint NOT NULL,
    PRIMARY KEY (guild_id, channel_id, target_id)
);

CREATE TABLE members (
    guild_id        bigint      NOT NULL,
    user_id         bigint      NOT NULL,
    -- In the row, not in a table of their own: read with the member, never without, and changed as a whole.
    roles           bigint[]    NOT NULL DEFAULT '{}',
    joined_at       timestamptz NOT NULL,
    timed_out_until timestamptz,
    flags           integer     NOT NULL DEFAULT 0,
    deaf            boolean     NOT NULL DEFAULT false,
    mute            boolean     NOT NULL DEFAULT false,
    pending         boolean     NOT NULL DEFAULT false,
    nick            text,
    avatar          text,
    PRIMARY KEY (guild_id, user_id)
);
-- A user's guilds, at every READY.
CREATE INDEX members_user ON members (user_id, guild_id);

CREATE TABLE bans (
    guild_id   bigint      NOT NULL,
    user_id    bigint      NOT NULL,
    banned_by  bigint,
    created_at timestamptz NOT NULL,
    reason     text,
    PRIMARY KEY (guild_id, user_id)
);

CREATE TABLE invites (
    code       text        COLLATE "C" NOT NULL PRIMARY KEY,
    guild_id   bigint      NOT NULL,
    channel_id bigint      NOT NULL,
    inviter_id bigint,
    -- Seconds, 0: for ever.
    max_age    integer     NOT NULL,
    -- 0: without limit.
    max_uses   integer     NOT NULL,
    uses       integer     NOT NULL DEFAULT 0,
    temporary  boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX invites_guild ON invites (guild_id);
