/// Finds the word that was probably meant.
enum EditDistance {
    /// The nearest candidate, if it is near enough to be worth naming: at most a third of its letters away.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        candidates
            .map { (candidate: $0, distance: between(Array(word), Array($0))) }
            .filter { $0.distance <= max(1, $0.candidate.count / 3) }
            .min { $0.distance < $1.distance }?.candidate
    }

    /// Levenshtein's distance: insertions, deletions and replacements that turn one word into the other.
    static func between(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
