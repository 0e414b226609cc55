//! A diagnosis as JSON: the type `NativeDiagnosis` of `ts/native/types.ts`.

use ossa_peer::{Diagnosis, IceCandidateError, KindCounts};
use serde_json::{Value, json};

/// The JSON of a diagnosis.
pub(crate) fn encode(diagnosis: &Diagnosis) -> String {
    json!({
        "relayOnly": diagnosis.relay_only,
        "gathered": diagnosis.gathered,
        "described": diagnosis.described,
        "local": counts(&diagnosis.local),
        "remote": counts(&diagnosis.remote),
        "namesNotFound": diagnosis.names_not_found,
        "checksSent": diagnosis.checks_sent,
        "checksReceived": diagnosis.checks_received,
        "answersReceived": diagnosis.answers_received,
        "hadPath": diagnosis.had_path,
        "ice": diagnosis.ice.as_str(),
        "dtls": diagnosis.dtls.as_str(),
        "dtlsError": diagnosis.dtls_error,
        "sctp": diagnosis.sctp.as_str(),
        "faults": diagnosis.faults.iter().map(fault).collect::<Vec<_>>(),
    })
    .to_string()
}

fn counts(counts: &KindCounts) -> Value {
    json!({
        "host": counts.host,
        "reflexive": counts.reflexive,
        "relay": counts.relay,
        "ipv6": counts.ipv6,
        "inner": counts.inner,
    })
}

fn fault(error: &IceCandidateError) -> Value {
    json!({ "url": error.url, "code": error.code, "text": error.text, "fault": error.fault.as_str() })
}
