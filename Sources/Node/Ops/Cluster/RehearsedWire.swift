import FluxCluster

/// Which build a node plays on the wire: `FLUX_WIRE` lets a debug build take the part of one that comes later, so that
/// rolling upgrades are rehearsed with real processes (docs/testing.md). A release build refuses the variable.
enum RehearsedWire {
    /// The variable.
    static let variable = "FLUX_WIRE"

    /// What the environment asks for; this build's own dialect without the variable.
    static func dialect(
        _ environment: [String: String], isRehearsalAllowed: Bool = isDebugBuild
    ) throws(CommandFailure) -> WireDialect {
        guard let part = environment[variable] else { return .own }
        guard isRehearsalAllowed else {
            throw CommandFailure(
                .configuration, "environment \(variable): only debug builds rehearse upgrades; unset it")
        }
        switch part {
        case "next": return .next
        case "next-but-one": return .nextButOne
        default:
            throw CommandFailure(.configuration, "environment \(variable): expected next or next-but-one, not \(part)")
        }
    }

    private static var isDebugBuild: Bool {
        #if DEBUG
            true
        #else
            false
        #endif
    }
}
