/// Maps elements concurrently, at most `width` at a time, and returns the results in the elements' order. The first error
/// cancels the rest and is thrown.
func boundedMap<Element: Sendable, Result: Sendable>(
    _ elements: [Element], width: Int, _ transform: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results = [Result?](repeating: nil, count: elements.count)
        var started = 0
        func start() {
            let index = started
            let element = elements[index]
            group.addTask { (index, try await transform(element)) }
            started += 1
        }
        while started < min(width, elements.count) { start() }
        while let (index, result) = try await group.next() {
            results[index] = result
            if started < elements.count { start() }
        }
        return results.compactMap(\.self)
    }
}
