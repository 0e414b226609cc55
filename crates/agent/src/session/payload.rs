//! The payloads of calls and of their answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::types::ResultShape;
use crate::error::{AgentError, code};

#[derive(Serialize)]
pub(super) struct CallOut<'a> {
    pub(super) capability: &'a str,
    pub(super) input: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct CallIn {
    pub(super) capability: String,
}

/// The payload of a response that stands for an error; see [`FailAs::Response`].
#[derive(Serialize, Deserialize)]
pub(super) struct Failure<T> {
    pub(super) error: T,
}

/// Other implementations wrap the result: `{result}` or `{capability, result}`, and nothing else in it.
pub(super) fn shape_of(payload: &RawValue) -> ResultShape {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrapped {
        #[serde(rename = "capability", default)]
        _capability: Option<String>,
        #[serde(rename = "result")]
        _result: serde::de::IgnoredAny,
    }
    let wrapped = payload.get().starts_with('{') && serde_json::from_str::<Wrapped>(payload.get()).is_ok();
    if wrapped { ResultShape::Member } else { ResultShape::Payload }
}

/// The error in the payload of an `error` message; one that is not as specified is passed on as well as possible.
pub(super) fn error_of(payload: Option<&RawValue>) -> AgentError {
    let text = payload.map_or("null", RawValue::get);
    serde_json::from_str(text).unwrap_or_else(|_| AgentError {
        code: code::CAPABILITY_FAILED.to_owned(),
        message: "the call failed; the error was not in the form {code, message}".to_owned(),
        details: payload.map(ToOwned::to_owned),
        retryable: false,
    })
}

/// The error in a response that stands for one.
pub(super) fn failure_in(payload: Option<&RawValue>) -> Option<AgentError> {
    let failure: Failure<AgentError> = serde_json::from_str(payload?.get()).ok()?;
    Some(failure.error)
}
