import FluxFuzzing

extension SeededGenerator {
    mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// `bytes` with a few of them changed, removed, doubled or cut off.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var mutated = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !mutated.isEmpty {
            let index = Int.random(in: 0..<mutated.count, using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: mutated[index] = UInt8.random(in: 0...255, using: &self)
            case 1: mutated[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2: mutated.remove(at: index)
            case 3: mutated.insert(UInt8.random(in: 0...255, using: &self), at: index)
            default: mutated.removeSubrange(index...)
            }
        }
        return mutated
    }
}
