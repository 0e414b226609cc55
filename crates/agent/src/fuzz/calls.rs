//! Entry point of a fuzz target.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::calls::WINDOW_ITEMS;
use crate::envelope::Envelope;
use crate::session::{Options, Received, Session, SessionConfig};

/// Feeds `data`, split at zero bytes, to a session with a call and a stream under way. `$` stands for the id of the
/// call, `%` for that of the stream. What the session lets through is answered and read. `epoch` is any instant.
pub fn calls(epoch: Instant, data: &[u8]) {
    const LIMIT: usize = 4;
    let [Ok(local), Ok(remote)] = ["agent://a", "agent://b"].map(str::parse) else { return };
    let config = SessionConfig { max_active_calls: LIMIT, ..SessionConfig::new(local, remote) };
    let mut session = Session::new(config, [7; 32]);
    let null = serde_json::value::to_raw_value(&()).expect("null serializes");
    let (options, time) = (Options::default(), Duration::from_secs(1));
    let call = session.call("f", &null, time, &options, epoch, 0).expect("the first call is taken").id;
    let stream =
        session.call_stream("f", &null, time, &options, epoch, 0).expect("the second call is taken").id;
    let mut unread = 0;
    for part in data.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok()) {
        let text = part.replace('$', &call).replace('%', &stream);
        match session.receive(0, &text, epoch, 0) {
            Received::Call { id, .. } => answer(&mut session, &id, &null),
            Received::Room { call } => answer(&mut session, &call, &null),
            Received::Cancel { call } => assert!(session.respond(&call, &null, 0).is_err()),
            Received::Item { call } => {
                assert_eq!(call, stream);
                unread += 1;
                assert!(unread <= WINDOW_ITEMS);
                // Every third one is left for later.
                if unread % 3 != 0 && session.read_item(&call, epoch, 0).is_ok() {
                    unread -= 1;
                }
            }
            Received::Broken { reply: Some(reply), .. } => {
                assert!(Envelope::<&RawValue>::parse(&reply.text).is_ok());
            }
            _ => {}
        }
        assert!(session.active_calls() <= LIMIT && session.pending_calls() <= 2);
    }
    session.handle_call_timeout(epoch + Duration::from_secs(u64::from(u32::MAX)), 0);
    session.drop_calls();
    assert_eq!((session.active_calls(), session.pending_calls()), (0, 0));
    assert_eq!(session.poll_call_timeout(), None);
}

/// One item if the caller takes items and has room; otherwise the call stays open.
fn answer(session: &mut Session, call: &str, item: &RawValue) {
    if session.streams(call) && session.has_room(call) {
        assert!(session.respond_item(call, item, 0).is_ok());
    }
}
