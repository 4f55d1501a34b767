import FluxAPI

/// Every key of a node's configuration, in the order of the reference file.
///
/// Reading, refusing, printing and the reference file in `cluster-config/` all come from this table.
public enum ConfigurationSchema {
    /// A group of keys below one name.
    struct Section: Sendable {
        /// The name with which its keys' paths begin; empty for the top level.
        let name: String
        /// What the group is about.
        let summary: String
        let keys: [ConfigurationKey]
    }

    /// All keys.
    public static let keys: [ConfigurationKey] = sections.flatMap(\.keys)

    static let sections: [Section] = [
        Section(name: "", summary: "The node itself.", keys: node),
        Section(name: "database", summary: "Postgres.", keys: database),
        Section(
            name: "tls", summary: "TLS on the client port: both files or none. SIGHUP reads them again.", keys: tls),
        Section(name: "storage", summary: "Where uploaded files are kept.", keys: storage),
        Section(name: "limits", summary: "Bounds on what one client or one node may use.", keys: limits),
        Section(
            name: "rate_limits",
            summary: "Tokens / seconds of each bucket, per credential and channel or guild.", keys: rateLimits),
        Section(
            name: "auth", summary: "Accounts. Access tokens live 15 minutes, sign-ins 30 days without use.",
            keys: authentication),
        Section(name: "logging", summary: "What is written to standard error.", keys: logging),
    ]

    private static let node: [ConfigurationKey] = [
        ConfigurationKey(
            "name", optional: .nodeName, \.name,
            "The node's name, unique in its cluster. Nothing: the machine's host name."),
        ConfigurationKey(
            "listen", .endpoint, \.listen,
            "Where people and bots connect, HTTP and WebSocket on one port. 0.0.0.0:8080 or [::]:8080 serves every interface."
        ),
        ConfigurationKey(
            "cluster_listen", .endpoint, \.clusterListen,
            "Where the other nodes of the cluster connect. They must reach it, so on several machines no 127.0.0.1."),
        ConfigurationKey(
            "cluster_advertise", optional: .endpoint, \.clusterAdvertise,
            "Where the other nodes are told to connect, behind a 0.0.0.0 or a port that is passed on. Nothing: "
                + "cluster_listen."),
        ConfigurationKey(
            "cluster_weight", .number(1...100), \.clusterWeight,
            "How much of the cluster this node takes, against the others: one with 2 gets twice as many guilds and "
                + "people as one with 1."),
        ConfigurationKey(
            "admin_listen", .endpoint, \.adminListen,
            "Where /metrics, /livez, /readyz and the admin API are served, without a password: keep it private."),
        ConfigurationKey(
            "data_dir", .text("a path"), \.dataDirectory,
            "The directory of keys, files and the private Postgres. It is made if missing."),
        ConfigurationKey(
            "public_url", optional: .origin, \.publicURL,
            "The origin by which clients reach the server. It goes into links and the gateway address, and browser "
                + "requests with cookies must come from it. Nothing: made from listen and tls."),
        ConfigurationKey(
            "trusted_proxies", list: .addressRange, \.trustedProxies,
            "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."),
        ConfigurationKey(
            "loops", optional: .number(1...256), \.loops, "Event loops. Nothing: one per core."),
    ]

    private static let database: [ConfigurationKey] = [
        ConfigurationKey(
            "database.url", optional: .secret("a postgres:// URL"), \.database.url, secret: true,
            "Which Postgres to use. Nothing: the node runs a private one in data_dir."),
        ConfigurationKey(
            "database.url_file", optional: .text("a path"), \.database.urlFile,
            "A file that holds the URL, instead of url."),
        ConfigurationKey(
            "database.connections", .number(1...256), \.database.connections,
            "Connections for reads and for changes that are not messages."),
        ConfigurationKey(
            "database.lanes", .number(1...64), \.database.lanes,
            "Write-behind lanes; each has one connection more. Two are enough for most machines."),
    ]

    private static let tls: [ConfigurationKey] = [
        ConfigurationKey("tls.cert", optional: .text("a path"), \.tls.certificate, "PEM: certificate and chain."),
        ConfigurationKey("tls.key", optional: .text("a path"), \.tls.key, "PEM: private key."),
    ]

    private static let storage: [ConfigurationKey] = [
        ConfigurationKey("storage.kind", .choice(), \.storage.kind, "A directory, or an S3-compatible store."),
        ConfigurationKey(
            "storage.directory", optional: .text("a path"), \.storage.directory,
            "For kind directory. Nothing: files in data_dir. Several nodes must share it."),
        ConfigurationKey(
            "storage.s3.endpoint", optional: .text("an http:// or https:// URL"), \.storage.s3.endpoint,
            "The service, for example https://s3.eu-central-1.amazonaws.com."),
        ConfigurationKey("storage.s3.bucket", optional: .text("a bucket's name"), \.storage.s3.bucket, "The bucket."),
        ConfigurationKey(
            "storage.s3.region", .text("a region's name"), \.storage.s3.region,
            "The region that requests are signed for; auto for R2."),
        ConfigurationKey(
            "storage.s3.path_style", .flag, \.storage.s3.pathStyle, "The bucket in the path, not in the host name."),
        ConfigurationKey(
            "storage.s3.access_key", optional: .secret("an access key id"), \.storage.s3.accessKey, secret: true,
            "The access key's id."),
        ConfigurationKey(
            "storage.s3.access_key_file", optional: .text("a path"), \.storage.s3.accessKeyFile,
            "A file that holds it, instead of access_key."),
        ConfigurationKey(
            "storage.s3.secret_key", optional: .secret("a secret access key"), \.storage.s3.secretKey, secret: true,
            "The secret key."),
        ConfigurationKey(
            "storage.s3.secret_key_file", optional: .text("a path"), \.storage.s3.secretKeyFile,
            "A file that holds it, instead of secret_key."),
    ]

    private static let limits: [ConfigurationKey] = [
        ConfigurationKey(
            "limits.message_length", .number(1...16_000), \.limits.messageLength,
            "Characters (Unicode scalar values) of a message."),
        ConfigurationKey(
            "limits.attachment_size", .size((1 << 10)...(4 << 30)), \.limits.attachmentBytes,
            "Size of one uploaded file."),
        ConfigurationKey(
            "limits.replay_events", .number(64...1_000_000), \.limits.replayEvents,
            "Events that a session keeps so that its client can resume."),
        ConfigurationKey(
            "limits.replay_bytes", .size((64 << 10)...(1 << 30)), \.limits.replayBytes,
            "Bytes that a session keeps so that its client can resume."),
        ConfigurationKey(
            "limits.replay_memory", .memory, \.limits.replayMemory,
            "What all sessions of the node keep together; the oldest is dropped first."),
        ConfigurationKey(
            "limits.slow_consumer", .size((64 << 10)...(256 << 20)), \.limits.slowConsumerBytes,
            "Unsent bytes at which a connection is closed; its client may resume."),
        ConfigurationKey(
            "limits.session_resume", .duration(.seconds(5)...(.seconds(3_600))), \.limits.sessionResume,
            "How long a session waits for its client to come back."),
        ConfigurationKey(
            "limits.passivation", .duration(.seconds(1)...(.seconds(86_400))), \.limits.passivation,
            "After how much idle time a guild, channel or user leaves memory."),
    ]

    private static let rateLimits: [ConfigurationKey] =
        [
            ConfigurationKey(
                "rate_limits.enabled", .flag, \.rateLimits.enabled, "Off for load tests and private machines only."),
            ConfigurationKey(
                "rate_limits.global", .allowance, \.rateLimits.global, "All calls of one credential together."),
        ]
        + RateLimitBucket.allCases.map { bucket in
            ConfigurationKey(
                "rate_limits." + bucket.name, .allowance, \.rateLimits[bucket], meaning(of: bucket))
        } + [
            ConfigurationKey(
                "rate_limits.gateway", .allowance, \.rateLimits.gateway,
                "Payloads of one gateway connection, heartbeats and sends not counted."),
            ConfigurationKey(
                "rate_limits.presence", .allowance, \.rateLimits.presence,
                "Presence changes of one gateway connection."),
        ]

    private static func meaning(of bucket: RateLimitBucket) -> String {
        switch bucket {
        case .messageCreate: "Sending messages, over REST and over the gateway."
        case .messageChange: "Editing and deleting messages."
        case .bulkDelete: "Bulk deletes."
        case .reaction: "Adding and removing reactions."
        case .typing: "Typing indicators."
        case .acknowledge: "Marking channels as read."
        case .guildChange: "Changes of guilds, channels, roles and members."
        case .guildCreate: "New guilds."
        case .friendRequest: "Friend requests."
        case .applicationCreate: "New applications and bot tokens."
        case .search: "Searches."
        case .register: "New accounts, by address; not for loopback."
        case .login: "Sign-ins, by address; not for loopback."
        case .refresh: "Token refreshes, by address; not for loopback."
        }
    }

    private static let authentication: [ConfigurationKey] = [
        ConfigurationKey(
            "auth.registration", .choice(), \.authentication.registration,
            "Whether anybody may make an account, or nobody.")
    ]

    private static let logging: [ConfigurationKey] = [
        ConfigurationKey("logging.level", .choice(), \.logging.level, "The lowest level that is written."),
        ConfigurationKey("logging.format", .choice(), \.logging.format, "Lines for people, or one JSON object a line."),
    ]
}
