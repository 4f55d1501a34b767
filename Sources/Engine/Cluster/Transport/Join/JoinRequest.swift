import FluxSecurity

/// A node asks to be let into the cluster: the first frame of a connection in join mode.
struct JoinRequest: WireCodable, Equatable {
    /// Kind of its frame.
    static let frameKind: UInt8 = 16

    /// The versions that the node speaks.
    var versions: WireVersionRange
    /// The cluster that its token is for.
    var cluster: ClusterID
    /// The token's secret.
    var secret: [UInt8]
    /// What the node is to be called.
    var name: String
    /// Where other nodes will reach it.
    var address: PeerAddress
    /// Its key (PKCS#10).
    var signingRequest: [UInt8]

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(versions)
            fields.value(cluster)
            fields.byteArray(secret)
            fields.string(name)
            fields.value(address)
            fields.byteArray(signingRequest)
        }
    }
}

extension JoinRequest {
    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            JoinRequest(
                versions: try fields.value(), cluster: try fields.value(), secret: try fields.byteArray(),
                name: try fields.string(), address: try fields.value(), signingRequest: try fields.byteArray())
        }
    }
}
