//! The failures that every path has, as the OpenAPI document describes them.

use pktvisor_api::ErrorBody;

/// What each path that makes an answer may answer instead. A path may describe its own 400.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "describes answers, which are made from `Failure`")]
pub(super) enum CommonFailures {
    /// No path, or not exactly one valid Host header
    #[response(status = 400)]
    Request(ErrorBody),
    /// The agent was started with --auth-token-file, and the request does not show the token
    #[response(status = 401)]
    Token(ErrorBody),
    /// On a loopback address: a host name that --allow-host does not allow
    #[response(status = 403)]
    Host(ErrorBody),
    /// Neither GET nor HEAD
    #[response(status = 405)]
    Method(ErrorBody),
    /// The answer could not be made
    #[response(status = 500)]
    Unmade(ErrorBody),
}
