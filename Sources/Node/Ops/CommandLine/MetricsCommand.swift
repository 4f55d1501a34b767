import ArgumentParser

/// `flux metrics`: what a node measures.
struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print a table of the metrics that a node serves at /metrics on its admin port.")

    func run() {
        print(MetricCatalog.table(), terminator: "")
    }
}
