//! What the router itself refuses, in the shape of every other error.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::operator::Refused;
use crate::problem::Problem;

/// A method that a path has not, and a path that is no UTF-8, are answered by the router, in words of its own or none.
pub(crate) async fn shape(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !status.is_client_error() || is_json {
        return response;
    }
    let is_operators = uri.path().starts_with("/operator/");
    let mut shaped = match (status, is_operators) {
        (StatusCode::METHOD_NOT_ALLOWED, true) => Refused::method_not_allowed().into_response(),
        (StatusCode::METHOD_NOT_ALLOWED, false) => Problem::method_not_allowed().into_response(),
        (_, true) => Refused::not_found().into_response(),
        (_, false) => Problem::not_found(&uri).into_response(),
    };
    if let Some(allowed) = response.headers().get(ALLOW) {
        shaped.headers_mut().insert(ALLOW, allowed.clone());
    }
    shaped
}
