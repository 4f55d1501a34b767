/// One step of load, as it was measured.
struct StepResult: Sendable {
    /// Messages a second that were due.
    var rate: Double
    /// Seconds from the step's beginning until all was delivered or was no longer waited for.
    var seconds: Double
    var counters: LoadCounters
    var measurement: StepMeasurement
    /// Sessions that had not heard everything when the waiting ended.
    var behind: Int
    /// Processor seconds of each server process; nil for one that ended.
    var servers: [Double?]
    /// Cores that this process used, that all used, and that there are; the machine's are nil where it does not tell.
    var ownCores: Double
    var busyCores: Double?
    var cores: Double?

    var deliveriesPerSecond: Double { seconds > 0 ? Double(counters.deliveries) / seconds : 0 }

    /// Microseconds of all server processes for one delivery; nil without processes or deliveries.
    var serverMicrosecondsPerDelivery: Double? {
        let known = servers.compactMap(\.self)
        guard !known.isEmpty, known.count == servers.count, counters.deliveries > 0 else { return nil }
        return known.reduce(0, +) * 1e6 / Double(counters.deliveries)
    }

    /// Why these figures may be the generator's and not the server's; nil if they are not.
    func bottleneck(loops: Int) -> String? {
        if ownCores > 0.85 * Double(loops) {
            return "the generator used \(Format.decimal(ownCores)) of its \(loops) loops: it is the bottleneck"
        }
        if let late = measurement.lateness.milliseconds(99), late > 20 {
            return "1 in 100 sends left \(Format.decimal(late)) ms late: the generator or the machine is the bottleneck"
        }
        if let busyCores, let cores, busyCores > 0.97 * cores, ownCores > 0.25 * cores {
            return
                "the machine is full, and the generator used \(Format.decimal(ownCores)) of \(Format.decimal(cores)) cores"
        }
        return nil
    }
}
