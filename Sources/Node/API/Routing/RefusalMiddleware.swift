import FluxCore
import Hummingbird
import NIOHTTP1

/// Gives every failure outside of a handler our form: unknown routes (404/0), refused credentials, defects.
struct RefusalMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: FluxRequestContext,
        next: (Request, FluxRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            throw error
        } catch let error as HTTPError {
            // The router throws these; a route never does.
            return Answer.refusal(
                error.status == .notFound
                    ? .notFound : APIError(status: error.status.code, code: 0, message: error.status.reasonPhrase)
            ).response()
        } catch {
            return Answer.refusal(Failure.refusal(for: error, logger: context.logger)).response()
        }
    }
}
