//! What senders and receivers have to be like.

use crate::config::{Payload, SenderConfig};
use crate::error::MediaError;
use crate::types::Extension;

fn invalid(text: String) -> MediaError {
    MediaError::Invalid(text)
}

pub(super) fn payloads(payloads: &[Payload]) -> Result<(), MediaError> {
    let mut numbers = Vec::new();
    for payload in payloads {
        if payload.clock_rate == 0 {
            return Err(invalid(format!("the clock rate of payload type {} is 0", payload.number)));
        }
        numbers.push(payload.number);
        // Several formats may share one retransmission format only by mistake: what it repeats could not be told.
        numbers.extend(payload.rtx);
    }
    if let Some(number) = numbers.iter().find(|&&number| number > 127) {
        return Err(invalid(format!("payload type {number} is above 127")));
    }
    numbers.sort_unstable();
    match numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(invalid(format!("payload type {} stands for two formats", pair[0]))),
        None => Ok(()),
    }
}

pub(super) fn extensions(extensions: &[(Extension, u8)]) -> Result<(), MediaError> {
    for (at, &(extension, number)) in extensions.iter().enumerate() {
        if number == 0 {
            let uri = extension.uri();
            return Err(invalid(format!("0 is no identifier of a header extension ({uri}): it is padding")));
        }
        if extensions[..at].iter().any(|&(other, taken)| other == extension || taken == number) {
            return Err(invalid(format!("header extension {number} ({}) is there twice", extension.uri())));
        }
    }
    Ok(())
}

/// Names travel in header extensions.
pub(super) fn name(what: &str, name: Option<&str>) -> Result<(), MediaError> {
    match name {
        Some(name) if name.is_empty() || name.len() > 255 => {
            Err(invalid(format!("a {what} has 1 to 255 bytes, this one has {}", name.len())))
        }
        _ => Ok(()),
    }
}

pub(super) fn sender(config: &SenderConfig) -> Result<(), MediaError> {
    payloads(&config.payloads)?;
    extensions(&config.extensions)?;
    name("mid", config.mid.as_deref())?;
    if config.encodings.is_empty() {
        return Err(invalid("a sender needs at least one encoding".into()));
    }
    config.encodings.iter().try_for_each(|encoding| name("rid", encoding.rid.as_deref()))?;
    let mut ssrcs: Vec<u32> = config
        .encodings
        .iter()
        .flat_map(|encoding| [Some(encoding.ssrc), encoding.rtx_ssrc])
        .flatten()
        .collect();
    ssrcs.sort_unstable();
    match ssrcs.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(invalid(format!("SSRC {} is there twice", pair[0]))),
        None => Ok(()),
    }
}
