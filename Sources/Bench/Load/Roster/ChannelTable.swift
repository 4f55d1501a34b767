/// The channels of a run, numbered from 0. What happens in others is none of the run's business.
struct ChannelTable: Sendable {
    let ids: [UInt64]
    private let numbers: [UInt64: Int]

    init(_ ids: [UInt64]) {
        self.ids = ids
        numbers = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    var count: Int { ids.count }

    func number(of id: UInt64) -> Int? { numbers[id] }
}
