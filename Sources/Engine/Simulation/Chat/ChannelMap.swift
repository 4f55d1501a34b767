import FluxCore

/// Something of each channel. They are a handful, so one is found sooner by looking at each than by hashing.
struct ChannelMap<Value> {
    private var channels: [ChannelID] = []
    /// What there is, in the order in which it came.
    private(set) var values: [Value] = []

    subscript(channel: ChannelID) -> Value? {
        get { channels.firstIndex(of: channel).map { values[$0] } }
        set {
            switch (channels.firstIndex(of: channel), newValue) {
            case (let index?, let value?): values[index] = value
            case (let index?, nil):
                channels.remove(at: index)
                values.remove(at: index)
            case (nil, let value?):
                channels.append(channel)
                values.append(value)
            case (nil, nil): break
            }
        }
    }
}
