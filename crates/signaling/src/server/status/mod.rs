//! The status page: what it shows as JSON, once or as it changes, and the page itself.

mod page;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::reply::{Body, plain, with_body};
use super::{Phase, Shared, closing, history};
pub(super) use page::asset;

/// Agents that are listed: a page for people, who search among more than that.
const MAX_AGENTS: usize = 5000;

/// Rooms that are listed, and members of all of them together.
const MAX_ROOMS: usize = 1000;
const MAX_MEMBERS: usize = 10_000;

/// Pages that are refreshed at the same time; each costs a listing of everybody every few seconds.
const MAX_VIEWERS: usize = 16;

/// Between two events with the counts.
const REFRESH: Duration = Duration::from_secs(2);

/// Refreshes between two looks at who is there: a listing of thousands is heavier than a row of numbers.
const LISTING_EVERY: u64 = 2;

/// How many pages are being refreshed.
#[derive(Debug, Default)]
pub(super) struct Viewers(Arc<AtomicUsize>);

impl Viewers {
    /// `None`: there are as many as may be.
    fn enter(&self) -> Option<Seat> {
        let seat = Seat(self.0.clone());
        (self.0.fetch_add(1, Ordering::Relaxed) < MAX_VIEWERS).then_some(seat)
    }
}

/// Counted until it is dropped.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `status.json`: everything at this moment. With `search` only the agents and rooms in whose names that is found.
pub(super) fn json(shared: &Shared, search: Option<&str>) -> Response<Body> {
    let mut all = summary(shared);
    if let (Value::Object(all), Value::Object(listing)) = (&mut all, listing(shared, search)) {
        all.extend(listing);
    }
    with_body(StatusCode::OK, "application/json", all.to_string())
}

fn summary(shared: &Shared) -> Value {
    let counts: serde_json::Map<_, _> =
        shared.counts().into_iter().map(|(name, _, value)| (name.to_owned(), value.into())).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": shared.started.elapsed().as_secs(),
        "uptimeMs": u64::try_from(shared.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "ready": shared.not_ready().is_none(),
        "draining": !matches!(*shared.phase.borrow(), Phase::Serving),
        "counts": counts,
        "cluster": shared.cluster_stats().map(|cluster| cluster.to_json()),
    })
}

fn listing(shared: &Shared, search: Option<&str>) -> Value {
    let (mut agents, mut rooms) = shared.registry.listing(MAX_AGENTS, MAX_ROOMS, search);
    // The same order at each look, whatever that of the maps is.
    agents.sort_unstable();
    rooms.sort_unstable();
    let mut left = MAX_MEMBERS;
    let rooms: Vec<_> = rooms
        .into_iter()
        .map(|(room, members)| {
            let shown = &members[..members.len().min(left)];
            left -= shown.len();
            json!({ "room": room, "members": members.len(), "agents": shown })
        })
        .collect();
    let now = Instant::now();
    let mut connections: Vec<_> =
        shared.meetings.latest(now).into_iter().map(|one| (one.caller, one.callee)).collect();
    if let Some(search) = search {
        connections.retain(|(a, b)| [a, b].iter().any(|name| super::registry::is_in(search, name)));
    }
    let connections: Vec<_> = connections.iter().map(|(a, b)| [&**a, &**b]).collect();
    json!({ "agents": agents, "rooms": rooms, "connections": connections })
}

/// `status/events`: the same as it changes, and the rates of the last hour, as server-sent events (HTML Living Standard, 9.2).
///
/// `columns` and `samples` come first, then `status` with the counts every two seconds, `samples` whenever there is another one,
/// `listing` when somebody has come or gone, and `close` as the last one.
pub(super) fn events(shared: &Arc<Shared>, shutdown: &watch::Receiver<Phase>) -> Response<Body> {
    let Some(seat) = shared.viewers.enter() else {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("RATE_LIMIT_EXCEEDED: {MAX_VIEWERS} status pages are open, which is the most\n"),
        );
    };
    let viewer = Viewer {
        shared: shared.clone(),
        shutdown: shutdown.clone(),
        _seat: seat,
        refreshes: 0,
        samples: 0,
        listed: None,
    };
    let events = stream::unfold(Some(viewer), |viewer| async {
        let mut viewer = viewer?;
        if viewer.refreshes > 0 {
            tokio::select! {
                () = sleep(REFRESH) => {}
                () = closing(&mut viewer.shutdown) => {
                    return Some((Bytes::from_static(b"event: close\ndata: {}\n\n"), None));
                }
            }
        }
        Some((viewer.refresh().into(), Some(viewer)))
    });
    let mut response = with_body(StatusCode::OK, "text/event-stream", Bytes::new());
    // Proxies may hold back what they take for one long response.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    *response.body_mut() = Body::Stream(Box::pin(events));
    response
}

/// What one page has been told.
struct Viewer {
    shared: Arc<Shared>,
    shutdown: watch::Receiver<Phase>,
    _seat: Seat,
    refreshes: u64,
    samples: u64,
    /// A hash of the last listing.
    listed: Option<u64>,
}

impl Viewer {
    /// The events that are due.
    fn refresh(&mut self) -> String {
        let mut text = String::new();
        // JSON has no line ends of its own, and none in its strings.
        let mut add = |event: &str, data: &Value| text += &format!("event: {event}\ndata: {data}\n\n");
        if self.refreshes == 0 {
            add("columns", &history::columns(&self.shared));
        }
        let (samples, taken) = self.shared.history.since(self.samples);
        self.samples = taken;
        if !samples.is_empty() {
            add("samples", &samples.into());
        }
        if self.refreshes.is_multiple_of(LISTING_EVERY) {
            let listing = listing(&self.shared, None);
            let mut hasher = DefaultHasher::new();
            listing.hash(&mut hasher);
            if self.listed.replace(hasher.finish()) != Some(hasher.finish()) {
                add("listing", &listing);
            }
        }
        add("status", &summary(&self.shared));
        self.refreshes += 1;
        text
    }
}
