import FluxCluster
import FluxCore

/// One use of a channel's limit, asked for by the edge.
struct BudgetRequest: WireCodable, Equatable {
    var bucket: ChannelBucket
    var userID: UserID

    init(bucket: ChannelBucket, userID: UserID) {
        self.bucket = bucket
        self.userID = userID
    }

    func encode(to writer: inout WireWriter) {
        writer.byte(bucket.rawValue)
        writer.value(userID)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        guard let bucket = ChannelBucket(rawValue: number) else { throw .unknownCase(UInt64(number)) }
        self.init(bucket: bucket, userID: try reader.value())
    }
}

/// What the channel says; nil where nothing is limited.
struct BudgetReply: WireCodable, Equatable {
    var decision: RateWindow.Decision?

    init(_ decision: RateWindow.Decision?) { self.decision = decision }

    func encode(to writer: inout WireWriter) {
        writer.bool(decision != nil)
        guard let decision else { return }
        writer.bool(decision.isAllowed)
        writer.signed(decision.limit)
        writer.signed(decision.remaining)
        writer.unsigned(decision.resetAfterMilliseconds)
    }

    init(from reader: inout WireReader) throws(WireError) {
        guard try reader.bool() else {
            self.init(nil)
            return
        }
        self.init(
            RateWindow.Decision(
                isAllowed: try reader.bool(), limit: try reader.signed(), remaining: try reader.signed(),
                resetAfterMilliseconds: try reader.unsigned()))
    }
}
