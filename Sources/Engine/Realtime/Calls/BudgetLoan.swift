import FluxCluster

/// A node asks for a portion of a person's budget.
struct BudgetLoanRequest: WireCodable, Equatable {
    var bucket: UserBucket
    var place: UInt64
    /// As the node's configuration has it.
    var rule: RateWindow.Rule
    /// How many calls wait for it.
    var wanted: Int
    /// Who asks.
    var borrower: NodeID

    init(bucket: UserBucket, place: UInt64, rule: RateWindow.Rule, wanted: Int, borrower: NodeID) {
        self.bucket = bucket
        self.place = place
        self.rule = rule
        self.wanted = wanted
        self.borrower = borrower
    }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.byte(bucket.rawValue)
            fields.unsigned(place)
            fields.unsigned(UInt32(clamping: rule.tokens))
            fields.unsigned(rule.milliseconds)
            fields.unsigned(UInt32(clamping: wanted))
            fields.value(borrower)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let number = try fields.byte()
            guard let bucket = UserBucket(rawValue: number) else { throw .unknownCase(UInt64(number)) }
            let place: UInt64 = try fields.unsigned()
            var rule = RateWindow.Rule(tokens: Int(try fields.unsigned(UInt32.self)), seconds: 0)
            rule.milliseconds = try fields.unsigned()
            return BudgetLoanRequest(
                bucket: bucket, place: place, rule: rule, wanted: Int(try fields.unsigned(UInt32.self)),
                borrower: try fields.value())
        }
    }
}

/// What it gets.
struct BudgetLoan: WireCodable, Equatable {
    /// Calls that it may let through; 0: nothing is left.
    var granted: Int
    /// Calls that nobody has borrowed yet.
    var remaining: Int
    /// Milliseconds until the window closes: the loan is worth nothing then, and there is a new budget.
    var closesAfter: UInt64

    init(granted: Int, remaining: Int, closesAfter: UInt64) {
        self.granted = granted
        self.remaining = remaining
        self.closesAfter = closesAfter
    }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.unsigned(UInt32(clamping: granted))
            fields.unsigned(UInt32(clamping: remaining))
            fields.unsigned(closesAfter)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            BudgetLoan(
                granted: Int(try fields.unsigned(UInt32.self)), remaining: Int(try fields.unsigned(UInt32.self)),
                closesAfter: try fields.unsigned())
        }
    }
}
