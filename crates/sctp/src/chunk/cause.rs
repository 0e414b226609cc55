//! Error causes of ABORT and ERROR chunks (RFC 9260 section 3.3.10).

use super::param::Params;

pub(crate) const INVALID_STREAM: u16 = 1;
pub(crate) const MISSING_PARAMETER: u16 = 2;
pub(crate) const STALE_COOKIE: u16 = 3;
pub(crate) const OUT_OF_RESOURCE: u16 = 4;
pub(crate) const UNRECOGNIZED_CHUNK: u16 = 6;
pub(crate) const INVALID_PARAMETER: u16 = 7;
pub(crate) const UNRECOGNIZED_PARAMETERS: u16 = 8;
pub(crate) const NO_USER_DATA: u16 = 9;
pub(crate) const COOKIE_WHILE_SHUTTING_DOWN: u16 = 10;
pub(crate) const USER_ABORT: u16 = 12;
pub(crate) const PROTOCOL_VIOLATION: u16 = 13;

/// The name of a cause as RFC 9260 section 3.3.10 has it, for messages to humans.
pub(crate) fn name(code: u16) -> &'static str {
    match code {
        INVALID_STREAM => "Invalid Stream Identifier",
        MISSING_PARAMETER => "Missing Mandatory Parameter",
        STALE_COOKIE => "Stale Cookie",
        OUT_OF_RESOURCE => "Out of Resource",
        5 => "Unresolvable Address",
        UNRECOGNIZED_CHUNK => "Unrecognized Chunk Type",
        INVALID_PARAMETER => "Invalid Mandatory Parameter",
        UNRECOGNIZED_PARAMETERS => "Unrecognized Parameters",
        NO_USER_DATA => "No User Data",
        COOKIE_WHILE_SHUTTING_DOWN => "Cookie Received While Shutting Down",
        11 => "Restart of an Association with New Addresses",
        USER_ABORT => "User-Initiated Abort",
        PROTOCOL_VIOLATION => "Protocol Violation",
        _ => "a cause that RFC 9260 does not name",
    }
}

/// The cause of an ABORT for people: its name, and what the peer has said besides.
pub(crate) fn in_words(cause: Option<u16>, message: &str) -> String {
    match cause.map(name) {
        Some(name) if name != message => format!("{name}: {message}"),
        _ => message.to_owned(),
    }
}

/// First cause of an ABORT and its text, cut to a length fit for a log.
pub(crate) fn describe(value: &[u8]) -> (Option<u16>, String) {
    let Some(cause) = Params(value).next() else {
        return (None, "no cause given".to_owned());
    };
    let has_text = matches!(cause.kind, USER_ABORT | PROTOCOL_VIOLATION) && !cause.value.is_empty();
    let text = if has_text {
        let shown = &cause.value[..cause.value.len().min(256)];
        String::from_utf8_lossy(shown).into_owned()
    } else {
        name(cause.kind).to_owned()
    };
    (Some(cause.kind), text)
}
