import ArgumentParser

/// Messages a second, one step after the other: `50` or `50,200,500`.
struct RateList: ExpressibleByArgument, Equatable {
    let rates: [Double]

    init(rates: [Double]) { self.rates = rates }

    init?(argument: String) {
        let rates = argument.split(separator: ",").map { Double($0) }
        guard !rates.isEmpty, rates.allSatisfy({ $0 ?? 0 > 0 && $0 ?? 0 <= 1_000_000 }) else { return nil }
        self.rates = rates.compactMap(\.self)
    }

    var defaultValueDescription: String { rates.map { String($0) }.joined(separator: ",") }
}
