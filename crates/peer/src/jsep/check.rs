//! Whether a description fits those before it.

use std::collections::HashMap;

use ossa_media::Extension;

use super::local::Draft;
use super::media::usable_id;
use super::remote::{RemoteDescription, RemoteTransport, Setup, invalid};
use super::session::Session;
use super::types::{DtlsRole, SdpType};
use crate::error::{Error, ErrorKind};
use crate::sdp::{Direction, ExtMap, MediaSection, Outline, OutlineSection};

impl Session {
    /// Sections are never removed or exchanged, unless they were rejected before (RFC 9429, section 5.2.2).
    pub(super) fn check_offer(&self, offer: &RemoteDescription) -> Result<(), Error> {
        let sections = &offer.description.media;
        if sections.len() < self.slots.len() {
            return Err(wrong_count(sections.len(), "at least ", self.slots.len()));
        }
        for (slot, section) in self.slots.iter().zip(sections).filter(|(slot, _)| slot.data || slot.rtp) {
            let name = if slot.data { "data" } else { &slot.kind };
            if !slot.kind.eq_ignore_ascii_case(&section.kind) {
                let message =
                    format!("the {name} section has become a section of the kind {:?}", section.kind);
                return Err(invalid(section.line, &message));
            }
            if section.is_active() && slot.mid.is_some() && slot.mid != section.mid {
                return Err(invalid(section.line, &format!("the mid of the {name} section has changed")));
            }
        }
        check_tracks(offer)?;
        self.current_remote.as_ref().map_or(Ok(()), |before| check_extensions(offer, before))?;
        self.media.as_ref().map_or(Ok(()), |media| media.check_room(offer))
    }
}

/// A track of a stream is sent in one section (RFC 8830, section 2).
fn check_tracks(offer: &RemoteDescription) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for (index, section) in offer.description.media.iter().enumerate() {
        // Sections on hold say what they sent before.
        let sent = offer.rtp(index).filter(|rtp| rtp.direction.sends());
        for msid in sent.iter().flat_map(|rtp| &rtp.msids) {
            let Some(track) = &msid.track else { continue };
            if seen.insert((&msid.stream, track), index).is_some_and(|other| other != index) {
                let message = format!(
                    "line {}: the track {track:?} of the stream {:?} is in another section as well",
                    section.line, msid.stream
                );
                return Err(Error::new(ErrorKind::Operation, message));
            }
        }
    }
    Ok(())
}

/// Checks the text against the last created description.
pub(super) fn accept(draft: Option<&Draft>, kind: SdpType, sdp: &str) -> Result<(Outline, Draft), Error> {
    let draft = draft.ok_or_else(|| Session::nothing_created(kind))?;
    match draft.accept(sdp) {
        Some(outline) => Ok((outline, draft.clone())),
        None => {
            let message =
                format!("this is not the {} that was created last; set it unchanged", kind.as_str());
            Err(Error::new(ErrorKind::InvalidModification, message))
        }
    }
}

/// Whether our answer was created for this offer, and not for an earlier one that looked different.
pub(super) fn check_answers(answer: &Outline, offer: &RemoteDescription) -> Result<(), Error> {
    let same =
        |(ours, theirs): (&OutlineSection, &MediaSection)| ours.kind == theirs.kind && ours.mid == theirs.mid;
    let data = answer.sections.iter().position(|section| section.data().is_some());
    let sections = &offer.description.media;
    let used = answer.sections.iter().find(|section| section.content.is_some());
    let setup = used.and_then(|section| section.setup);
    let roles_fit = used.is_none()
        || match offer.transport.as_ref().map(|transport| transport.setup) {
            Some(Setup::Active) => setup == Some("passive"),
            Some(Setup::Passive) => setup == Some("active"),
            Some(Setup::ActPass) | None => true,
        };
    let has_init = |section: &OutlineSection| section.data().is_some_and(|data| data.sctp_init.is_some());
    let init_fits = data.is_none_or(|index| !has_init(&answer.sections[index]))
        || offer.data.as_ref().is_some_and(|data| data.sctp_init.is_some());
    let stays = |(index, ours): (usize, &OutlineSection)| {
        let kept = offer.kept(index);
        let offered = |format: &String| sections[index].formats.contains(format);
        ours.inactive() == kept.map(|(_, media)| media)
            && kept.is_none_or(|(format, _)| ours.formats == std::slice::from_ref(format))
            && (ours.rtp().is_none() || (offer.rtp(index).is_some() && ours.formats.iter().all(offered)))
    };
    let fits = answer.sections.len() == sections.len()
        && answer.sections.iter().zip(sections).all(same)
        && answer.sections.iter().enumerate().all(stays)
        && data == offer.data.as_ref().map(|data| data.index)
        && roles_fit
        && init_fits;
    if fits {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidModification,
        "the answer was created for another offer; create a new one",
    ))
}

/// An answer has the sections of its offer (RFC 3264, section 6).
pub(super) fn check_matches(answer: &RemoteDescription, offer: &Outline) -> Result<(), Error> {
    let sections = &answer.description.media;
    if sections.len() != offer.sections.len() {
        return Err(wrong_count(sections.len(), "", offer.sections.len()));
    }
    for (index, (section, offered)) in sections.iter().zip(&offer.sections).enumerate() {
        if !section.kind.eq_ignore_ascii_case(&offered.kind) {
            let message =
                format!("this section is {:?} in the offer and {:?} here", offered.kind, section.kind);
            return Err(invalid(section.line, &message));
        }
        if section.mid.is_some() && section.mid != offered.mid {
            return Err(invalid(section.line, "this section has another mid in the offer"));
        }
        let Some(offered) = offered.rtp().filter(|_| section.is_active()) else { continue };
        let Some(answered) = answer.rtp(index) else {
            return Err(invalid(section.line, why_unusable(answer, index)));
        };
        // RFC 3264, section 6.1.
        let wanted = offered.direction.reversed();
        if wanted.intersection(answered.direction) != answered.direction {
            let [offered, answered] = [offered.direction, answered.direction].map(Direction::as_str);
            let message = format!("this section is {answered}, which is no answer to {offered}");
            return Err(invalid(section.line, &message));
        }
    }
    Ok(())
}

/// Header extensions keep their ids for as long as a section lasts (RFC 8285, section 7).
pub(super) fn check_extensions(new: &RemoteDescription, before: &RemoteDescription) -> Result<(), Error> {
    let sections = new.description.media.iter().zip(&before.description.media);
    for (index, (section, _)) in sections.enumerate().filter(|(_, (new, old))| new.mid == old.mid) {
        let (Some(rtp), Some(known)) = (new.rtp(index), before.rtp(index)) else { continue };
        let renamed = known.extensions.iter().filter(|known| is_usable(known)).find_map(|known| {
            let same = |extension: &&ExtMap| (extension.uri == known.uri) != (extension.id == known.id);
            rtp.extensions.iter().filter(|extension| is_usable(extension)).find(same)
        });
        if let Some(ExtMap { id, uri, .. }) = renamed {
            let message = format!("the ids of header extensions stay, and {id} is new for {uri:?}");
            return Err(invalid(section.line, &message));
        }
    }
    Ok(())
}

/// Of the others it does not matter what they are called.
fn is_usable(extension: &ExtMap) -> bool {
    usable_id(extension.id).is_some() && Extension::ALL.iter().any(|known| known.uri() == extension.uri)
}

/// Why a section for audio or video that the peer has accepted can't be used.
fn why_unusable(answer: &RemoteDescription, index: usize) -> &'static str {
    if answer.shares_transport(index) {
        "this section is accepted without a=rtcp-mux or without any codec of the offer"
    } else {
        "this section is accepted outside of the BUNDLE group, and there is one transport only"
    }
}

fn wrong_count(found: usize, at_least: &str, expected: usize) -> Error {
    let message = format!("the description has {found} media sections where {at_least}{expected} are due");
    Error::new(ErrorKind::InvalidAccess, message)
}

/// Our role according to the answer to our `actpass` (RFC 8842, section 5.3).
pub(super) fn answered_role(
    transport: &RemoteTransport,
    answer: &RemoteDescription,
) -> Result<DtlsRole, Error> {
    let line = answer.description.media[transport.anchor].line;
    match transport.setup {
        Setup::ActPass => Err(invalid(line, "an answer decides between a=setup:active and passive")),
        Setup::Active => Ok(DtlsRole::Server),
        Setup::Passive => Ok(DtlsRole::Client),
    }
}
