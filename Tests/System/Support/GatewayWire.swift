import CZlib
import FluxCore
import Foundation
import NIOCore

/// The client's end of a gateway connection, as bytes: the handshake, frames read strictly, the zlib stream.
final class GatewayWire: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What comes up from the connection.
    enum Event {
        /// The upgrade is done.
        case opened
        case payload(JSON)
        /// A close frame with its code, nil for none.
        case closing(Int?)
        /// The TCP connection is gone.
        case gone
        /// The server broke a rule of HTTP, RFC 6455, zlib or JSON.
        case violation(String)
    }

    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private static let acceptedKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    private let target: String
    private let host: String
    private let inflate: InflateStream?
    private let report: (Event) -> Void
    private var isOpen = false
    private var received = ByteBuffer()

    init(host: String, target: String, isCompressed: Bool, report: @escaping (Event) -> Void) {
        self.host = host
        self.target = target
        self.report = report
        inflate = isCompressed ? InflateStream() : nil
    }

    func channelActive(context: ChannelHandlerContext) {
        let request =
            "GET \(target) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: \(Self.key)\r\nSec-WebSocket-Version: 13\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        report(.gone)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard isOpen || readHandshake(context) else { return }
        while readFrame(context) {}
        received.discardReadBytes()
    }

    private func readHandshake(_ context: ChannelHandlerContext) -> Bool {
        let text = String(buffer: received)
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let head = text[..<end.lowerBound]
        guard head.hasPrefix("HTTP/1.1 101 "), head.contains(Self.acceptedKey) else {
            report(.violation("the upgrade was answered: \(head)"))
            context.close(promise: nil)
            return false
        }
        received.moveReaderIndex(forwardBy: head.utf8.count + 4)
        isOpen = true
        report(.opened)
        return true
    }

    private func readFrame(_ context: ChannelHandlerContext) -> Bool {
        var copy = received
        guard let first = copy.readInteger(as: UInt8.self), let second = copy.readInteger(as: UInt8.self) else {
            return false
        }
        var length = Int(second & 0x7F)
        if length == 126 {
            guard let wide = copy.readInteger(as: UInt16.self) else { return false }
            length = Int(wide)
            if length < 126 { report(.violation("a length of \(length) in long form")) }
        } else if length == 127 {
            guard let wide = copy.readInteger(as: UInt64.self) else { return false }
            length = Int(wide)
            if length <= 0xFFFF { report(.violation("a length of \(length) in the longest form")) }
        }
        if first & 0xF0 != 0x80 || second & 0x80 != 0 { report(.violation("a frame that begins \(first) \(second)")) }
        guard let payload = copy.readBytes(length: length) else { return false }
        received = copy
        take(context, opcode: first & 0x0F, payload)
        return true
    }

    private func take(_ context: ChannelHandlerContext, opcode: UInt8, _ payload: [UInt8]) {
        switch opcode {
        case 1 where inflate == nil:
            take(json: payload)
        case 2:
            guard payload.suffix(4) == [0, 0, 0xFF, 0xFF], let plain = inflate?.read(payload) else {
                report(.violation("a binary frame that does not go on with the stream"))
                return
            }
            take(json: plain)
        case 8:
            report(.closing(payload.count < 2 ? nil : Int(payload[0]) << 8 | Int(payload[1])))
            write(context.channel, opcode: 8, Array(payload.prefix(2)))
        case 9:
            write(context.channel, opcode: 10, payload)
        case 10:
            break
        default:
            report(.violation("a frame of opcode \(opcode)"))
        }
    }

    private func take(json bytes: [UInt8]) {
        guard let document = try? JSON.parse(bytes) else {
            report(.violation("not JSON: \(String(decoding: bytes.prefix(200), as: UTF8.self))"))
            return
        }
        for payload in document.arrayValue ?? [document] { report(.payload(payload)) }
    }
}

extension GatewayWire {
    /// Writes one masked frame.
    static func write(_ channel: any NIOCore.Channel, opcode: UInt8, _ payload: [UInt8]) {
        let key: [UInt8] = (0..<4).map { _ in UInt8.random(in: 0...255) }
        var frame = ByteBuffer()
        frame.writeInteger(0x80 | opcode)
        switch payload.count {
        case ..<126: frame.writeInteger(0x80 | UInt8(payload.count))
        case ...0xFFFF:
            frame.writeInteger(UInt8(0x80 | 126))
            frame.writeInteger(UInt16(payload.count))
        default:
            frame.writeInteger(UInt8(0x80 | 127))
            frame.writeInteger(UInt64(payload.count))
        }
        frame.writeBytes(key)
        frame.writeBytes(payload.enumerated().map { $1 ^ key[$0 & 3] })
        channel.writeAndFlush(frame, promise: nil)
    }

    private func write(_ channel: any NIOCore.Channel, opcode: UInt8, _ payload: [UInt8]) {
        Self.write(channel, opcode: opcode, payload)
    }
}

/// The reading end of a zlib stream.
final class InflateStream {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() {
        stream.initialize(to: z_stream())
        precondition(inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Nil if the bytes do not go on with the stream.
    func read(_ bytes: [UInt8]) -> [UInt8]? {
        var input = bytes
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        return input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            while true {
                let produced = chunk.withUnsafeMutableBufferPointer { chunk -> Int? in
                    stream.pointee.next_out = chunk.baseAddress
                    stream.pointee.avail_out = UInt32(chunk.count)
                    let status = inflate(stream, Z_SYNC_FLUSH)
                    guard status == Z_OK || status == Z_BUF_ERROR else { return nil }
                    return chunk.count - Int(stream.pointee.avail_out)
                }
                guard let produced else { return nil }
                output += chunk[..<produced]
                if produced < chunk.count { return output }
            }
        }
    }
}
