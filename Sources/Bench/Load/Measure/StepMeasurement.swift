/// What a loop measures while a step runs. Only messages that were due from a moment on count: those before are the warm-up.
struct StepMeasurement: Sendable {
    private(set) var from: UInt64 = .max
    /// From the moment a message was due until a session had it; until its acknowledgement; until it was sent.
    private(set) var delivery = Latency()
    private(set) var acknowledgement = Latency()
    private(set) var lateness = Latency()

    init() {}

    /// Begins anew.
    init(from: UInt64) { self.from = from }

    @inline(__always)
    mutating func delivered(due: UInt64, at now: UInt64) {
        if due >= from { delivery.record(Clock.elapsed(due, now)) }
    }

    mutating func acknowledged(due: UInt64, at now: UInt64) {
        if due >= from { acknowledgement.record(Clock.elapsed(due, now)) }
    }

    mutating func sent(due: UInt64, at now: UInt64) {
        if due >= from { lateness.record(Clock.elapsed(due, now)) }
    }

    mutating func add(_ other: StepMeasurement) {
        delivery.add(other.delivery)
        acknowledgement.add(other.acknowledgement)
        lateness.add(other.lateness)
    }
}
