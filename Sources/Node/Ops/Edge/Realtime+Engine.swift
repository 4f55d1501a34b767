import FluxAPI
import FluxRealtime

/// The API's commands go to the engine as they are.
extension Realtime: Engine {}
