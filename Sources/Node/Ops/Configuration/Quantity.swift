/// A whole number and a unit.
enum Quantity {
    static func parse(_ text: String, units: [(String, Int)], bare: Int) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let name = text.dropFirst(digits.count).trimmed
        guard let factor = name.isEmpty ? bare : units.first(where: { $0.0 == name })?.1 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
