/// A process whose processor time is held against the deliveries, as `--pid PID[:NAME]` says it.
struct ServerProcess: Sendable, Equatable {
    let id: Int32
    let name: String

    init(_ argument: String) throws(RunFailure) {
        let parts = argument.split(separator: ":", maxSplits: 1)
        guard let first = parts.first, let id = Int32(first), id > 0 else {
            throw RunFailure("--pid \(argument): a process id is wanted, and maybe a name: 1234:node-1")
        }
        self.id = id
        name = parts.count > 1 ? String(parts[1]) : "pid \(id)"
    }
}

/// Processor time at a moment.
struct ProcessorSample: Sendable {
    let at: UInt64
    let own: Double
    let machine: (busy: Double, idle: Double)?
    /// By the process's place in the list; nil for one that is gone.
    let servers: [Double?]

    static func take(_ servers: [ServerProcess]) -> ProcessorSample {
        ProcessorSample(
            at: Clock.now, own: ProcessorTime.own(), machine: ProcessorTime.machine(),
            servers: servers.map { ProcessorTime.seconds(of: $0.id) })
    }
}
