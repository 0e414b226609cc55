//! The HTTP transport: frames by single requests, for networks that let no WebSocket through.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout, timeout_at};

use super::reply::{Body, not_allowed, text_of, with_body};
use super::session::{Gone, Mail, Receiver, Session};
use super::visit::Visit;
use crate::error::{ErrorBody, code};

/// The header with the secret of a session.
const SESSION: &str = "ossa-session";

/// The longest time that a request for frames stays open, in seconds: below the 30 s of many proxies.
const MAX_WAIT: u64 = 25;

/// Requests with frames of one session that may wait for each other. Each holds its body.
const MAX_WAITING: usize = 4;

/// Frames of the largest size that fit into one request.
const FRAMES_PER_BODY: usize = 4;

/// Frames in one request, of whatever size: ours sends 64. Each takes memory of its own while it waits for its turn.
const MAX_FRAMES: usize = 256;

type Refusal = (StatusCode, ErrorBody);

/// Answers a request for `v1/sessions` or `v1/frames`.
pub(super) async fn answer(visit: &Arc<Visit>, request: Request<Incoming>) -> Response<Body> {
    let sessions = request.uri().path().ends_with("/v1/sessions");
    let answered = match (sessions, request.method()) {
        (_, &Method::OPTIONS) => Ok(preflight()),
        (true, &Method::POST) => create(visit, &request),
        (true, &Method::DELETE) => end(visit, request.headers()),
        (false, &Method::POST) => post(visit, request).await,
        (false, &Method::GET) => receive(visit, &request).await,
        (true, _) => Ok(not_allowed("POST, DELETE, OPTIONS")),
        (false, _) => Ok(not_allowed("GET, POST, OPTIONS")),
    };
    answered.unwrap_or_else(|(status, error)| with_body(status, "application/json", json!(error).to_string()))
}

/// Lets the pages of `origin`, which has been checked, see the response.
pub(super) fn share(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::Full(None));
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id, ossa-session"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn create(visit: &Arc<Visit>, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let arrival = visit.admit(request.headers(), "http")?;
    let secret = Session::start(&visit.shared, visit.shutdown.clone(), arrival);
    let idle = visit.shared.config.idle_timeout.as_millis();
    let body = json!({ "session": secret, "idleTimeoutMs": u64::try_from(idle).unwrap_or(u64::MAX) });
    Ok(with_body(StatusCode::CREATED, "application/json", body.to_string()))
}

fn end(visit: &Visit, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    find(visit, headers)?.end();
    let mut response = Response::new(Body::Full(None));
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The session that a request belongs to, which has been heard of by that.
fn find(visit: &Visit, headers: &HeaderMap) -> Result<Arc<Session>, Refusal> {
    let session = headers
        .get(SESSION)
        .and_then(|secret| secret.to_str().ok())
        .and_then(|secret| visit.shared.sessions.find(secret));
    let Some(session) = session else {
        let text = "there is no session with the secret in \"Ossa-Session\", or it has ended";
        return Err((StatusCode::NOT_FOUND, ErrorBody::new(code::UNAUTHORIZED, text)));
    };
    session.handle.was_heard();
    Ok(session)
}

/// Counts a request among those that wait, until it is dropped.
struct Waiting(Arc<Session>);

impl Waiting {
    fn enter(session: &Arc<Session>) -> Option<Self> {
        let waiting: &AtomicUsize = &session.waiting;
        let entered = Self(session.clone());
        (waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING).then_some(entered)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn post(visit: &Arc<Visit>, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let session = find(visit, request.headers())?;
    let Some(waiting) = Waiting::enter(&session) else {
        let text = "too many requests of this session are being served; send frames in fewer requests";
        return Err((StatusCode::TOO_MANY_REQUESTS, ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text)));
    };
    let body = read(visit, request.into_body()).await?;
    let largest = visit.shared.config.max_message_size;
    // Not ended by a client that goes away: a frame is served wholly or not at all.
    let served = tokio::spawn(async move {
        let _waiting = waiting;
        let frames = frames(&body)?;
        if frames.iter().any(|frame| frame.len() > largest) {
            return Err(too_large(largest));
        }
        let mut client = session.client.lock().await;
        for frame in frames {
            if let Some(close) = session.closed() {
                let error = format!("the session has ended: {}", close.reason);
                return Err((StatusCode::NOT_FOUND, ErrorBody::new(code::UNAUTHORIZED, error)));
            }
            // It does not receive, or was told to slow down often enough: the end of the session says which.
            if client.frame(frame.into()).await.is_err() {
                break;
            }
        }
        Ok(())
    });
    match served.await {
        Ok(served) => served?,
        Err(_) => {
            let error = ErrorBody::new(code::PROTOCOL_ERROR, "the frames could not be served");
            return Err((StatusCode::INTERNAL_SERVER_ERROR, error));
        }
    }
    let mut response = Response::new(Body::Full(None));
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn too_large(most: usize) -> Refusal {
    let error = format!("a frame has at most {most} bytes, and a request {FRAMES_PER_BODY} times as many");
    (StatusCode::PAYLOAD_TOO_LARGE, ErrorBody::new(code::MESSAGE_TOO_LARGE, error))
}

async fn read(visit: &Visit, body: Incoming) -> Result<Bytes, Refusal> {
    let config = &visit.shared.config;
    let limited = Limited::new(body, config.max_message_size.saturating_mul(FRAMES_PER_BODY));
    match timeout(config.handshake_timeout, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(config.max_message_size)),
        Ok(Err(_)) => {
            Err((StatusCode::BAD_REQUEST, ErrorBody::new(code::PROTOCOL_ERROR, "the request has no end")))
        }
        Err(_) => {
            let error = ErrorBody::new(code::PROTOCOL_ERROR, "the request did not come in time");
            Err((StatusCode::REQUEST_TIMEOUT, error))
        }
    }
}

/// The frames in a body: one JSON object, or an array of them. What is in a frame is for the client to answer for.
pub(crate) fn frames(body: &[u8]) -> Result<Vec<&str>, Refusal> {
    let wrong = |error: String| (StatusCode::BAD_REQUEST, ErrorBody::new(code::INVALID_MESSAGE, error));
    let text = std::str::from_utf8(body).map_err(|_| wrong("the body is not UTF-8".into()))?.trim_ascii();
    if !text.starts_with('[') {
        return Ok(vec![text]);
    }
    let frames: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| wrong(format!("the body is not an array of frames: {error}")))?;
    if frames.len() > MAX_FRAMES {
        let text = format!("a request has at most {MAX_FRAMES} frames, not {}", frames.len());
        return Err((StatusCode::PAYLOAD_TOO_LARGE, ErrorBody::new(code::MESSAGE_TOO_LARGE, text)));
    }
    Ok(frames.into_iter().map(RawValue::get).collect())
}

async fn receive(visit: &Visit, request: &Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let session = find(visit, request.headers())?;
    let invalid = |what: &str| {
        let text = format!("{what} is not a number that makes sense here");
        (StatusCode::BAD_REQUEST, ErrorBody::new(code::INVALID_MESSAGE, text))
    };
    let accept = text_of(request.headers(), header::ACCEPT).unwrap_or_default();
    if accept.contains("text/event-stream") {
        let last = request.headers().get("last-event-id").map(|id| id.to_str().unwrap_or_default());
        let after = last.map_or(Ok(0), str::parse).map_err(|_| invalid("Last-Event-ID"))?;
        return Ok(event_stream(session.receiver(after).map_err(gone)?));
    }
    let after = parameter(request, "after").unwrap_or(Ok(0)).map_err(|()| invalid("\"after\""))?;
    let wait = parameter(request, "wait").unwrap_or(Ok(MAX_WAIT)).map_err(|()| invalid("\"wait\""))?;
    let receiver = session.receiver(after).map_err(gone)?;
    poll(receiver, Duration::from_secs(wait.min(MAX_WAIT))).await
}

fn gone(Gone: Gone) -> Refusal {
    let text = "frames after that number are not kept any more: start a new session";
    (StatusCode::GONE, ErrorBody::new(code::MESSAGE_EXPIRED, text))
}

fn parameter<T: FromStr>(request: &Request<Incoming>, name: &str) -> Option<Result<T, ()>> {
    request.uri().query()?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| value.parse().map_err(|_| ()))
    })
}

async fn poll(mut receiver: Receiver, wait: Duration) -> Result<Response<Body>, Refusal> {
    let mail = timeout_at(Instant::now() + wait, receiver.next()).await.unwrap_or(Mail::Ping);
    let mut closed = String::new();
    let mut frames = Vec::new();
    match mail {
        Mail::Frames(some) => frames = some,
        // The next request is the answer to a ping.
        Mail::Ping => {}
        Mail::End(close) => {
            closed = format!(r#","closed":{}"#, json!({ "code": close.code, "reason": close.reason }));
        }
        Mail::Displaced => {
            let text = "another request receives the frames of this session now";
            return Err((StatusCode::CONFLICT, ErrorBody::new(code::PROTOCOL_ERROR, text)));
        }
    }
    let frames: Vec<_> = frames.iter().map(|(_, text)| text.as_str()).collect();
    let body = format!(r#"{{"frames":[{}],"last":{}{closed}}}"#, frames.join(","), receiver.last());
    Ok(with_body(StatusCode::OK, "application/json", body))
}

/// Server-sent events (HTML Living Standard, 9.2): frames as messages with ids; `ping`, to be answered by any request;
/// `close` as the last one.
fn event_stream(receiver: Receiver) -> Response<Body> {
    // The first bytes at once: some proxies hold the head of a response back until there is a body.
    let greeting = stream::iter([Bytes::from_static(b":\n\n")]);
    let events = stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.next().await {
            Mail::Frames(frames) => {
                let text: String = frames.iter().map(|(id, text)| event(*id, text)).collect();
                Some((text.into(), Some(receiver)))
            }
            Mail::Ping => Some((Bytes::from_static(b"event: ping\ndata: {}\n\n"), Some(receiver))),
            Mail::End(close) => {
                let data = json!({ "code": close.code, "reason": close.reason });
                Some((format!("event: close\ndata: {data}\n\n").into(), None))
            }
            Mail::Displaced => None,
        }
    });
    let events = futures_util::StreamExt::chain(greeting, events);
    let mut response = with_body(StatusCode::OK, "text/event-stream", Bytes::new());
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    *response.body_mut() = Body::Stream(Box::pin(events));
    response
}

/// One event. A sender may have put line ends between the tokens of its JSON; a line end would end the event.
pub(crate) fn event(id: u64, text: &str) -> String {
    let lines: Vec<_> = text.split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
    format!("id: {id}\ndata: {}\n\n", lines.join("\ndata: "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_of_frames_comes_apart_as_it_was_put_together(
            frames_in in proptest::collection::vec("\\{\"a\":(\"[a-z,\\[\\] ]{0,9}\"|[1-9][0-9]{0,3}|\\[1,\\{\\}\\])\\}", 1..9),
            blanks in "[ \t\r\n]{0,3}",
        ) {
            let body = format!("{blanks}[{}]{blanks}", frames_in.join(&format!("{blanks},{blanks}")));
            prop_assert_eq!(frames(body.as_bytes()).unwrap(), frames_in);
        }

        #[test]
        fn any_body_is_taken_apart_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            crate::fuzz::http_body(&body);
        }

        #[test]
        fn whatever_a_frame_contains_it_is_one_event(text in "(\\PC|[\r\n:]|data: |id: 9|event: close){0,60}") {
            crate::fuzz::http_body(text.as_bytes());
        }
    }

    #[test]
    fn a_request_has_so_many_frames() {
        let body = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert_eq!(frames(body(256).as_bytes()).unwrap().len(), 256);
        assert_eq!(frames(body(257).as_bytes()).unwrap_err().0, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn a_body_is_one_frame_or_a_list_of_frames() {
        assert_eq!(frames(b" {\"a\":1}\n").unwrap(), ["{\"a\":1}"]);
        assert_eq!(frames(b"[{\"a\":[1]}, 7]").unwrap(), ["{\"a\":[1]}", "7"]);
        assert!(frames(b"[]").unwrap().is_empty());
        for wrong in [&b"[{]"[..], b"[", b"[1]]", b"\xff"] {
            assert_eq!(frames(wrong).unwrap_err().0, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn line_ends_inside_a_frame_do_not_end_the_event() {
        assert_eq!(event(7, "{\r\n\"a\":\n1}"), "id: 7\ndata: {\ndata: \"a\":\ndata: 1}\n\n");
    }
}
