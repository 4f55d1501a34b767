/// Something of each process of the nodes, found without hashing: by the node's number and its incarnation, which counts
/// from 1.
struct ProcessMap<Value> {
    private var values: [[Value?]] = []

    subscript(process: LeaseDatabase.Process) -> Value? {
        get {
            let (row, column) = (Int(process.node.rawValue), Int(process.incarnation))
            return row < values.count && column < values[row].count ? values[row][column] : nil
        }
        _modify {
            let (row, column) = (Int(process.node.rawValue), Int(process.incarnation))
            while values.count <= row { values.append([]) }
            while values[row].count <= column { values[row].append(nil) }
            yield &values[row][column]
        }
    }
}

extension ProcessMap: Sendable where Value: Sendable {}
