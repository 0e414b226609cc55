//! Why a Redis server is of no use, in words that say what to do about it. None of them has a password in it.

use std::io;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};
use rustls::{CertificateError, Error as TlsError};

/// What Redis said, in few words.
pub(super) fn said(error: &RedisError) -> String {
    let text: String = error.to_string().chars().take(200).collect();
    match advice(error.code().unwrap_or_default(), &text) {
        Some(advice) => format!("{advice} ({text})"),
        None => text,
    }
}

/// Errors of a script begin with the name of the error or have it somewhere behind their own, depending on the version.
fn advice(code: &str, text: &str) -> Option<&'static str> {
    let known = [
        ("READONLY", READ_ONLY),
        ("OOM", "it is full: raise its maxmemory"),
        ("MISCONF", "it refuses writes because it cannot save to its disk"),
        ("NOREPLICAS", "it refuses writes because it has too few replicas"),
        ("NOPERM", "its user may not do what is needed; docs/cluster.md has the rules"),
        ("unknown command", "it is older than version 6.2, or its commands are renamed"),
        ("CertificateRequired", "it wants a certificate: give one in \"cert\" and \"key\""),
    ];
    known.into_iter().find(|(sign, _)| code == *sign || text.contains(sign)).map(|(_, advice)| advice)
}

const READ_ONLY: &str = "it is a read-only replica: give the address of the primary";

pub(super) fn of_tls(error: &io::Error, host: &str) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => {
            "its certificate is signed by nobody who is trusted here: if that is an authority of your own, give it in \"ca\""
                .to_owned()
        }
        Some(TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("its certificate is for another name than {host}"),
        Some(TlsError::InvalidCertificate(reason)) => format!("its certificate is not valid: {reason}"),
        _ => error.to_string(),
    }
}

/// Whether a Redis server that answers can be what holds a cluster together: one primary that forgets nothing by itself.
pub(super) async fn examine(redis: &mut MultiplexedConnection) -> Result<(), String> {
    let hello: Value = redis::cmd("HELLO").query_async(redis).await.map_err(|error| said(&error))?;
    match (field(&hello, "mode"), field(&hello, "role")) {
        (Some("cluster"), _) => {
            return Err(
                "it is part of a Redis Cluster, which is not supported: give the address of a Redis server \
                        that is alone or has replicas"
                    .to_owned(),
            );
        }
        (Some("sentinel"), _) => {
            return Err(
                "it is a Sentinel, which is not supported: give an address that leads to the primary"
                    .to_owned(),
            );
        }
        (_, Some("replica" | "slave")) => return Err(READ_ONLY.to_owned()),
        _ => {}
    }
    // A user that may not ask this is trusted to know: the documentation says so as well.
    let memory: redis::RedisResult<String> = redis::cmd("INFO").arg("memory").query_async(redis).await;
    let memory = memory.unwrap_or_default();
    let read = |name: &str| memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    match (read("maxmemory"), read("maxmemory_policy")) {
        (Some(most), Some(policy)) if most != "0" && policy.starts_with("allkeys") => Err(format!(
            "its maxmemory-policy is {policy}: it would forget agents and whose names are; set it to noeviction"
        )),
        _ => Ok(()),
    }
}

fn field<'a>(answer: &'a Value, name: &str) -> Option<&'a str> {
    let Value::Map(fields) = answer else { return None };
    fields.iter().find(|(key, _)| text(key) == Some(name)).and_then(|(_, value)| text(value))
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
