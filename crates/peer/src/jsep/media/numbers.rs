//! Payload types and ids of header extensions, which mean the same in all sections of a group for as long as the session
//! lasts (RFC 8843, section 10.1; RFC 8285, section 5; RFC 9429, section 5.2.2).

use ossa_media::Extension;

use super::codec::{Identity, parameter};
use crate::sdp::RtpAttributes;

/// The numbers that have a meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::jsep) struct Numbers {
    payloads: Vec<(u8, Meaning)>,
    extensions: Vec<(u8, String)>,
}

/// What a payload type stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    Codec(Identity),
    /// What is sent again of another payload type.
    Rtx(u8),
}

impl Numbers {
    /// Takes over what a section says. It counts more than what was before: the other side will use it.
    pub(super) fn learn(&mut self, section: &RtpAttributes, formats: &[String]) {
        for payload in formats.iter().filter_map(|format| format.parse().ok()) {
            let Some(map) = section.codec(payload) else { continue };
            let parameters = section.fmtp(payload);
            let meaning = match map.name.eq_ignore_ascii_case("rtx") {
                true => match parameter(parameters, "apt").and_then(|apt| apt.parse().ok()) {
                    Some(apt) => Meaning::Rtx(apt),
                    None => continue,
                },
                false => Meaning::Codec(Identity::of(&map, parameters)),
            };
            self.payloads.retain(|(number, known)| *number != payload && *known != meaning);
            self.payloads.push((payload, meaning));
        }
        for extension in &section.extensions {
            let Some(id) = usable_id(extension.id) else { continue };
            self.extensions.retain(|(number, uri)| *number != id && *uri != extension.uri);
            self.extensions.push((id, extension.uri.clone()));
        }
    }

    /// The payload type of a codec: the one that it has, or a free one. `None` if all are taken.
    pub(super) fn payload(&mut self, identity: Identity, preferred: Option<u8>) -> Option<u8> {
        self.number(Meaning::Codec(identity), preferred)
    }

    /// The payload type of the retransmissions of another.
    pub(super) fn rtx(&mut self, of: u8) -> Option<u8> {
        self.number(Meaning::Rtx(of), of.checked_add(1))
    }

    fn number(&mut self, meaning: Meaning, preferred: Option<u8>) -> Option<u8> {
        if let Some((number, _)) = self.payloads.iter().find(|(_, known)| *known == meaning) {
            return Some(*number);
        }
        // RFC 5761, section 4: 64 to 95 look like RTCP. Those below 64 that no profile has taken are what is left.
        let preferred = preferred.filter(|number| *number < 64 || (96..128).contains(number));
        let candidates = preferred.into_iter().chain(96..128).chain(35..64);
        let free = |number: &u8| self.payloads.iter().all(|(taken, _)| taken != number);
        let number = candidates.into_iter().find(free)?;
        self.payloads.push((number, meaning));
        Some(number)
    }

    /// The id of a header extension: the one that it has, or a free one. `None` if all that fit in one byte are taken.
    pub(super) fn extension(&mut self, extension: Extension) -> Option<u8> {
        if let Some((id, _)) = self.extensions.iter().find(|(_, uri)| uri == extension.uri()) {
            return Some(*id);
        }
        let id = (1..15).find(|id| self.extensions.iter().all(|(taken, _)| taken != id))?;
        self.extensions.push((id, extension.uri().to_owned()));
        Some(id)
    }
}

/// Ids that fit into a header; larger ones are for offers with too many (RFC 8285, section 7).
pub(in crate::jsep) fn usable_id(id: u16) -> Option<u8> {
    u8::try_from(id).ok().filter(|id| *id != 0)
}
