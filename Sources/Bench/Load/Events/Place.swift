/// Where an event stands in its channel's log (protocol 10.5). Order is by epoch, then by number.
struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    var epoch: Int
    var seq: Int

    static func < (left: Place, right: Place) -> Bool { (left.epoch, left.seq) < (right.epoch, right.seq) }

    var description: String { "(\(epoch), \(seq))" }
}
