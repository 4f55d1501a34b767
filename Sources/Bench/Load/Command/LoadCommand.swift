import ArgumentParser

/// What the commands have in common: they make a run, put load on, and end with a verdict.
enum LoadCommand {
    /// Runs a load; ends with the status of its verdict.
    static func run(
        _ name: String, _ options: LoadOptions, _ plan: LoadPlan, _ settings: LoadSettings, seconds: Double,
        _ load: (LoadRun, inout LoadReport) async throws -> Void, judge: (inout LoadReport) -> Void = { _ in }
    ) async throws {
        let servers = try options.servers()
        for server in servers where ProcessorTime.seconds(of: server.id) == nil {
            throw RunFailure("--pid \(server.id): there is no such process")
        }
        let connecting = Double(plan.people.count) / options.connectRate
        try Roster(people: plan.people).requireTokens(for: connecting + seconds + 30)
        let run = try await LoadRun.make(settings, channels: plan.channels, people: plan.people)
        var report = LoadReport(command: name, plan: plan, settings: settings, servers: servers)
        do {
            try await connect(run)
            try await load(run, &report)
            Notices.say("reading the histories")
            let verdict = try await run.verdict(repeating: options.repeats, within: options.drain)
            report.finish(verdict)
            judge(&report)
        } catch {
            await run.stop()
            throw error
        }
        await run.stop()
        report.write(asJSON: options.json)
        if !report.isClean { throw ExitCode(BenchStatus.violated) }
    }

    private static func connect(_ run: LoadRun) async throws {
        var said = Clock.now
        Notices.say("connecting \(run.people.count) sessions")
        try await run.connect { progress in
            guard Clock.now - said > 2_000_000_000 else { return }
            said = Clock.now
            Notices.say("connected \(progress.whole) of \(progress.sessions)")
        }
    }
}
