import ArgumentParser

extension LoadCommand {
    /// Turns a failure into its status.
    static func guarding(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let failure as RunFailure {
            Notices.say(failure.description)
            throw ExitCode(BenchStatus.failed)
        }
    }

    /// One step for each rate.
    static func run(
        _ name: String, _ options: LoadOptions, _ plan: LoadPlan, _ settings: LoadSettings, steps: RateList
    ) async throws {
        let seconds = Double(steps.rates.count) * (options.warmUp + options.duration + 2 * options.drain)
        try await run(name, options, plan, settings, seconds: seconds) { run, report in
            for rate in steps.rates {
                Notices.say("\(Format.decimal(rate, 0)) messages a second for \(Format.decimal(options.duration, 0)) s")
                report.steps.append(
                    try await run.step(
                        rate: rate, warmUp: options.warmUp, seconds: options.duration, senders: plan.senders,
                        drain: options.drain, servers: report.servers))
            }
        }
    }
}
