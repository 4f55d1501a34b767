// swift-tools-version:6.2
import PackageDescription

/// Settings of every Swift target of ours: Swift 6 language mode, explicit existentials.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let concurrencyHelpers: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "flux",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "flux", targets: ["flux"]),
        .executable(name: "flux-bench", targets: ["flux-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    ],
    targets: [
        // System libraries, each with one job: libpq speaks to Postgres, OpenSSL does TLS, signatures and digests,
        // libargon2 hashes passwords, zlib compresses gateway streams.
        .systemLibrary(
            name: "CPostgres", path: "Sources/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CArgon2", path: "Sources/CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The engine.
        .target(name: "FluxCore", dependencies: [], path: "Sources/Engine/Core", swiftSettings: strict),
        .target(
            name: "FluxSecurity",
            dependencies: ["FluxCore", "COpenSSL", "CArgon2", nioCore, concurrencyHelpers],
            path: "Sources/Engine/Security", swiftSettings: strict),
        .target(
            name: "FluxCluster",
            dependencies: [
                "FluxCore", "FluxSecurity", nioCore, nioPosix, concurrencyHelpers, collections, logging, metrics,
            ],
            path: "Sources/Engine/Cluster", swiftSettings: strict),
        .target(
            name: "FluxStore",
            dependencies: ["FluxCore", "CPostgres", concurrencyHelpers, collections, logging, metrics],
            path: "Sources/Engine/Store", resources: [.embedInCode("Migrations")], swiftSettings: strict),
        // Virtual time, a network and nodes that fail on purpose, around the state machines that run in production. For
        // tests and for `flux-bench sim`; nothing of the node uses it.
        .target(
            name: "FluxSimulation", dependencies: ["FluxCore", "FluxCluster", "FluxStore", "FluxRealtime"],
            path: "Sources/Engine/Simulation", swiftSettings: strict),
        .target(
            name: "FluxRealtime",
            dependencies: [
                "FluxCore", "FluxCluster", "FluxStore", nioCore, concurrencyHelpers, collections, logging, metrics,
            ],
            path: "Sources/Engine/Realtime", swiftSettings: strict),

        // The node.
        .target(
            name: "FluxGateway",
            dependencies: [
                "FluxCore", "FluxSecurity", "FluxCluster", "FluxRealtime", "CZlib", nioCore, nioPosix, nioHTTP1,
                concurrencyHelpers, collections, logging, metrics,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Sources/Node/Gateway", swiftSettings: strict),
        .target(
            name: "FluxAPI",
            dependencies: [
                "FluxCore", "FluxSecurity", "FluxStore", "FluxRealtime", hummingbird, nioCore, concurrencyHelpers,
                collections, logging, metrics,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Sources/Node/API", swiftSettings: strict),
        .target(
            name: "FluxOps",
            dependencies: [
                "FluxCore", "FluxSecurity", "FluxCluster", "FluxStore", "FluxRealtime", "FluxGateway", "FluxAPI",
                hummingbird, lifecycle, nioCore, nioPosix, concurrencyHelpers, collections, logging, metrics,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/Node/Ops", swiftSettings: strict),
        .executableTarget(
            name: "flux", dependencies: ["FluxOps"], path: "Sources/Node/Main", swiftSettings: strict),
        .executableTarget(
            name: "flux-bench",
            dependencies: [
                "FluxCore", "FluxSimulation", nioCore, nioPosix, nioHTTP1, concurrencyHelpers, collections,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Sources/Bench", swiftSettings: strict),

        // Tests, one folder per target.
        .target(
            name: "FluxTestSupport", dependencies: ["FluxStore", logging], path: "Tests/Support", swiftSettings: strict),
        .target(name: "FluxFuzzing", dependencies: ["FluxCore"], path: "Tests/Fuzzing", swiftSettings: strict),
        .testTarget(
            name: "CoreTests", dependencies: ["FluxCore", "FluxFuzzing"], path: "Tests/CoreTests", swiftSettings: strict
        ),
        .testTarget(
            name: "SecurityTests", dependencies: ["FluxSecurity", "FluxFuzzing", nioCore, nioPosix, nioEmbedded],
            path: "Tests/SecurityTests", swiftSettings: strict),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "FluxCluster", "FluxCore", "FluxSecurity", "FluxSimulation", "FluxFuzzing", nioCore, nioPosix,
                nioEmbedded,
                concurrencyHelpers,
            ],
            path: "Tests/ClusterTests", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["FluxSimulation", "FluxCore"], path: "Tests/SimulationTests",
            swiftSettings: strict),
        .testTarget(
            name: "StoreTests",
            dependencies: ["FluxStore", "FluxCore", "FluxTestSupport", "FluxFuzzing", logging, metrics],
            path: "Tests/StoreTests", swiftSettings: strict),
        .testTarget(
            name: "RealtimeTests",
            dependencies: [
                "FluxRealtime", "FluxCore", "FluxSecurity", "FluxCluster", "FluxStore", "FluxTestSupport",
                "FluxFuzzing",
                nioCore, nioPosix, nioEmbedded, concurrencyHelpers, logging,
            ],
            path: "Tests/RealtimeTests", swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "FluxGateway", "FluxCore", "FluxCluster", "FluxRealtime", "FluxSecurity", "FluxFuzzing",
                "FluxTestSupport", "CZlib", hummingbird, lifecycle, nioCore, nioPosix, nioEmbedded, nioHTTP1, logging,
            ],
            path: "Tests/GatewayTests", swiftSettings: strict),
        .testTarget(
            name: "APITests",
            dependencies: [
                "FluxAPI", "FluxCore", "FluxSecurity", "FluxStore", "FluxRealtime", "FluxFuzzing", hummingbird, nioCore,
                nioPosix, nioHTTP1, concurrencyHelpers, logging,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Tests/APITests", swiftSettings: strict),
        .testTarget(
            name: "AccountTests",
            dependencies: [
                "FluxAPI", "FluxCore", "FluxSecurity", "FluxStore", "FluxRealtime", "FluxTestSupport", hummingbird,
                nioCore,
                concurrencyHelpers, logging,
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Tests/AccountTests", swiftSettings: strict),
        .testTarget(
            name: "OpsTests",
            dependencies: [
                "FluxOps", "FluxCore", "FluxSecurity", "FluxCluster", "FluxStore", "FluxTestSupport", "FluxFuzzing",
                lifecycle, logging, nioCore, nioPosix,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/OpsTests", swiftSettings: strict),
        .testTarget(
            name: "BenchTests", dependencies: ["flux-bench", "FluxCore", "FluxFuzzing", nioCore, nioPosix],
            path: "Tests/BenchTests", swiftSettings: strict),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "FluxCore", "FluxFuzzing", "CZlib", nioCore, nioPosix, nioHTTP1, concurrencyHelpers,
                .target(name: "flux"),
                .target(name: "flux-bench"),
            ],
            path: "Tests/System", exclude: ["python"], swiftSettings: strict),
    ]
)
