import NIOCore

/// Plain writes that wait to be encrypted, in order, with their promises.
struct TLSWriteQueue {
    /// Some records' worth of plain bytes, and the promises of the writes that end in them.
    struct Batch {
        fileprivate(set) var records = CircularBuffer<ByteBuffer>()
        fileprivate(set) var promises: [EventLoopPromise<Void>] = []

        /// Takes the next record's plain bytes.
        mutating func popFirst() -> ByteBuffer? {
            records.popFirst()
        }

        /// Fails them all.
        func fail(_ error: TLSError) {
            for promise in promises { promise.fail(error) }
        }

        /// One promise that decides all of them, or nil where nobody waits.
        func combinedPromise(on eventLoop: any EventLoop) -> EventLoopPromise<Void>? {
            guard let first = promises.first else { return nil }
            guard promises.count > 1 else { return first }
            let all = promises
            let combined = eventLoop.makePromise(of: Void.self)
            combined.futureResult.whenComplete { result in
                for promise in all { promise.completeWith(result) }
            }
            return combined
        }
    }

    private struct Write {
        var bytes: ByteBuffer
        var promise: EventLoopPromise<Void>?
    }

    /// Plain bytes of one batch: a few records, so that the channel's own queue notices soon when it has enough.
    private static let batchByteCount = 4 * TLSConnection.recordByteCount

    private var writes = MarkedCircularBuffer<Write>(initialCapacity: 4)

    /// Bytes that wait, flushed or not.
    private(set) var byteCount = 0

    /// Whether something waits that was flushed.
    var hasFlushed: Bool { writes.hasMark }

    mutating func append(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        byteCount += bytes.readableBytes
        writes.append(Write(bytes: bytes, promise: promise))
    }

    mutating func markFlushed() {
        writes.mark()
    }

    mutating func failAll(_ error: TLSError) {
        byteCount = 0
        while let write = writes.popFirst() { write.promise?.fail(error) }
    }

    /// Takes the oldest flushed writes, at most ``batchByteCount`` bytes of them. Large writes are cut without a copy, small
    /// ones gathered, so that each becomes no record of its own.
    mutating func nextBatch() -> Batch {
        var batch = Batch()
        var room = Self.batchByteCount
        var gathered = ByteBuffer()
        while hasFlushed, let first = writes.first, room > 0 {
            var bytes = first.bytes
            let space = min(room, TLSConnection.recordByteCount - gathered.readableBytes)
            guard let piece = bytes.readSlice(length: min(space, bytes.readableBytes)) else { break }
            room -= piece.readableBytes
            byteCount -= piece.readableBytes
            if gathered.readableBytes == 0 { gathered = piece } else { gathered.writeImmutableBuffer(piece) }
            if gathered.readableBytes == TLSConnection.recordByteCount {
                batch.records.append(gathered)
                gathered = ByteBuffer()
            }
            if bytes.readableBytes > 0 {
                writes[writes.startIndex].bytes = bytes
            } else if let promise = writes.popFirst()?.promise {
                batch.promises.append(promise)
            }
        }
        if gathered.readableBytes > 0 { batch.records.append(gathered) }
        return batch
    }
}
