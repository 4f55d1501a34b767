/// The numbers of a range, and between them other tests get their turn. There are only as many threads for all tasks as
/// processors; a test that computes on one without a pause keeps servers in this process from answering.
public struct GivingWay: AsyncSequence, AsyncIteratorProtocol {
    private var rest: Range<Int>

    public init(_ range: Range<Int>) { rest = range }

    public func makeAsyncIterator() -> GivingWay { self }

    public mutating func next() async -> Int? {
        await Task.yield()
        return rest.popFirst()
    }
}
