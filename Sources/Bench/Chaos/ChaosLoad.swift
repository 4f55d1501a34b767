/// The load of `chaos`, and what it tells about recoveries.
struct ChaosLoad {
    let run: LoadRun
    let plan: LoadPlan
    let options: LoadOptions
    let rate: Double
    let readsMarks: Bool

    func run(_ report: inout LoadReport) async throws {
        let marks = Marks()
        if readsMarks { marks.readStandardInput() }
        Notices.say(
            "\(Format.decimal(rate, 0)) messages a second for \(Format.decimal(options.duration, 0)) s at the most")
        let begin = Clock.now
        var end = begin
        report.steps.append(
            try await run.measure(rate: rate, report.servers) {
                let last = try await run.beginLoad(rate: rate, seconds: options.duration, senders: plan.senders)
                try await follow(marks, until: last)
                try await run.endLoad()
                end = Clock.now
                Notices.say("waiting for everything that is still to come")
                return try await run.settle(within: options.drain)
            })
        report.timeline = LoadReport.Timeline(begin: begin, end: end, marks: marks.all)
    }

    /// Passes marks on as they come, until the load ends.
    private func follow(_ marks: Marks, until last: UInt64) async throws {
        var known = 0
        while Clock.now < last, !marks.hasEnded {
            for mark in marks.all.dropFirst(known) {
                Notices.say("mark: \(mark.name)")
                try await run.mark()
                known += 1
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
