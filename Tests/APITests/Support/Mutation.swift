import FluxFuzzing

extension [UInt8] {
    /// Changes up to three places: replaces, removes, inserts, doubles or cuts.
    mutating func mutate(alphabet: [UInt8], using generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !isEmpty {
            let place = Int.random(in: 0..<count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: self[place] = alphabet.randomElement(using: &generator) ?? 0
            case 1: self[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 2: remove(at: place)
            case 3: insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
            case 4: insert(contentsOf: self[place..<Swift.min(count, place + 16)], at: place)
            default: removeSubrange(place...)
            }
        }
    }
}
