import FluxAPI

/// Everything that can be set on a node, with its defaults.
///
/// The defaults below are the only place where they stand: the schema, the reference file in `cluster-config/` and
/// `flux config print` read them from here. What each key means, its type and its range stand in
/// ``ConfigurationSchema``.
public struct NodeConfiguration: Sendable, Equatable {
    /// The node's name in its cluster; nil stands for the machine's host name.
    public var name: String?
    /// Where people and bots connect (HTTP and WebSocket).
    public var listen = Endpoint(host: "127.0.0.1", port: 8080)
    /// Where other nodes connect.
    public var clusterListen = Endpoint(host: "127.0.0.1", port: 7400)
    /// Where other nodes are told to connect; nil stands for `clusterListen`.
    public var clusterAdvertise: Endpoint?
    /// The node's share of the slots, against the others' (1 to 100).
    public var clusterWeight = 1
    /// Where metrics, health and the admin API are served.
    public var adminListen = Endpoint(host: "127.0.0.1", port: 9400)
    /// The directory of everything that the node keeps on disk.
    public var dataDirectory = "data"
    /// The origin by which clients reach the server, without a trailing slash; nil stands for `listen`.
    public var publicURL: String?
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    public var trustedProxies: [String] = []
    /// Event loops; nil stands for one per core.
    public var loops: Int?

    /// Postgres.
    public var database = Database()
    /// TLS on the client port.
    public var tls = TLS()
    /// Files that people upload.
    public var storage = Storage()
    /// Bounds on what one client or one node may use.
    public var limits = Limits()
    /// Rate limits, protocol section 3.6.
    public var rateLimits = RateLimits()
    /// Accounts and tokens.
    public var authentication = Authentication()
    /// Log output.
    public var logging = LogSettings()

    /// The defaults.
    public init() {}
}

extension NodeConfiguration {
    /// Where Postgres is and how many connections the node holds to it.
    public struct Database: Sendable, Equatable {
        /// A `postgres://` URL; nil: the node starts a private Postgres in its data directory.
        public var url: Secret?
        /// A file whose content is the URL.
        public var urlFile: String?
        /// Connections for reads and control writes.
        public var connections = 4
        /// Write-behind lanes, each with a connection of its own.
        public var lanes = 2

        /// The defaults.
        public init() {}
    }

    /// The certificate of the client port. Both paths or none.
    public struct TLS: Sendable, Equatable {
        /// PEM file: the certificate and its chain.
        public var certificate: String?
        /// PEM file: the private key.
        public var key: String?

        /// No TLS.
        public init() {}
    }

    /// Where uploaded files are kept.
    public struct Storage: Sendable, Equatable {
        /// The kinds of storage.
        public enum Kind: String, Sendable, CaseIterable {
            /// A directory on this machine, or shared by all nodes.
            case directory
            /// An S3-compatible object store.
            case s3
        }

        /// Which of the two is used.
        public var kind = Kind.directory
        /// The directory; nil stands for `files` in the data directory.
        public var directory: String?
        /// The object store.
        public var s3 = S3()

        /// The defaults.
        public init() {}

        /// An S3-compatible object store, requests signed with Signature Version 4.
        public struct S3: Sendable, Equatable {
            /// The service's URL.
            public var endpoint: String?
            /// The bucket.
            public var bucket: String?
            /// The region that goes into the signature.
            public var region = "us-east-1"
            /// The bucket in the path instead of in the host name.
            public var pathStyle = true
            /// The access key's id.
            public var accessKey: Secret?
            /// A file with the access key's id.
            public var accessKeyFile: String?
            /// The secret key.
            public var secretKey: Secret?
            /// A file with the secret key.
            public var secretKeyFile: String?

            /// The defaults.
            public init() {}
        }
    }

    /// Bounds. Sizes are in bytes.
    public struct Limits: Sendable, Equatable {
        /// Unicode scalar values of a message's text.
        public var messageLength = 2_000
        /// Bytes of one uploaded file.
        public var attachmentBytes = 25 << 20
        /// Events that a session keeps for a RESUME.
        public var replayEvents = 4_096
        /// Bytes that a session keeps for a RESUME.
        public var replayBytes = 8 << 20
        /// Bytes that all sessions of the node keep for a RESUME.
        public var replayMemory = MemoryBudget.percent(10)
        /// Bytes waiting for one connection at which it is closed resumably.
        public var slowConsumerBytes = 2 << 20
        /// How long a session outlives its connection.
        public var sessionResume = Duration.seconds(120)
        /// How long an idle actor stays in memory.
        public var passivation = Duration.seconds(600)

        /// The defaults.
        public init() {}
    }

    /// Accounts.
    public struct Authentication: Sendable, Equatable {
        /// Who may make an account.
        public enum Registration: String, Sendable, CaseIterable {
            /// Anybody.
            case open
            /// Nobody but the administrator.
            case closed
        }

        /// Who may make an account.
        public var registration = Registration.open

        /// The defaults.
        public init() {}
    }

    /// What is logged, and how.
    public struct LogSettings: Sendable, Equatable {
        /// Levels, from chatty to silent.
        public enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }
        /// Forms of a line.
        public enum Format: String, Sendable, CaseIterable {
            /// For people.
            case text
            /// One JSON object a line.
            case json
        }

        /// The lowest level that is written.
        public var level = Level.info
        /// The form of a line.
        public var format = Format.text

        /// The defaults.
        public init() {}
    }

    /// The limits of protocol section 3.6.
    public struct RateLimits: Sendable, Equatable {
        /// Off for load tests.
        public var enabled = true
        /// All calls of one credential together.
        public var global = Allowance(RateLimitConfiguration.defaultGlobal)
        /// Payloads of one gateway connection.
        public var gateway = Allowance(120, perSeconds: 60)
        /// Presence updates of one gateway connection.
        public var presence = Allowance(5, perSeconds: 20)

        private var buckets = RateLimitConfiguration.defaultRules.mapValues { Allowance($0) }

        /// The defaults of the protocol.
        public init() {}

        /// What a bucket of the API allows.
        public subscript(bucket: RateLimitBucket) -> Allowance {
            get { buckets[bucket] ?? global }
            set { buckets[bucket] = newValue }
        }

        /// The same in the API's terms.
        public var forAPI: RateLimitConfiguration {
            RateLimitConfiguration(isOn: enabled, global: global.rule, rules: buckets.mapValues(\.rule))
        }
    }
}
