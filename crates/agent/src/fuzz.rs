//! Entry points for fuzz targets.

use std::time::{Duration, Instant};

use crate::{Envelope, RawValue, Session, SessionConfig};

/// Feeds `data`, split at zero bytes, to a session as messages. `epoch` is any instant.
pub fn session(epoch: Instant, data: &[u8]) {
    let [Ok(local), Ok(remote)] = ["agent://a", "agent://b"].map(str::parse) else { return };
    let mut session = Session::new(SessionConfig::new(local, remote), [7; 32]);
    let input = serde_json::value::to_raw_value(&()).expect("null serializes");
    let options = Default::default();
    let call = session.call("f", &input, Duration::from_secs(1), &options, epoch, 0);
    assert!(call.is_ok());
    for text in data.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok()) {
        let _ = session.receive(text, 1_700_000_000_000);
        if let Ok(envelope) = Envelope::<&RawValue>::parse(text) {
            let written = serde_json::to_string(&envelope).expect("what was parsed serializes");
            Envelope::parse(&written).expect("what was accepted is accepted again");
        }
    }
    session.handle_timeout(epoch + Duration::from_secs(2));
    assert_eq!(session.pending_calls(), 0);
}
