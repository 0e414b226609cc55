//! Candidates of both sides (W3C 4.4.2, addIceCandidate; RFC 8840).

use super::remote::RemoteDescription;
use super::session::Session;
use super::types::{CandidateInit, CandidatePlace, RemoteCandidate, SignalingState};
use crate::error::{Error, ErrorKind};
use crate::sdp::{Candidate, CandidateError, MAX_CANDIDATES, excerpt};

impl Session {
    /// Adds a gathered candidate (`candidate:...`) of the generation `ufrag` to the local descriptions.
    ///
    /// `None` if no local description has that generation any more: nobody needs the candidate.
    pub fn add_local_candidate(&mut self, line: &str, ufrag: &str) -> Option<CandidatePlace> {
        let place = self.place_of(ufrag)?;
        let mut generations = self.current_ice.iter_mut().chain(self.pending_ice.iter_mut());
        let generation = generations.find(|generation| generation.ice.ufrag == ufrag)?;
        // Interfaces that come and go must not let the description grow for ever.
        let room = generation.candidates.len() < MAX_CANDIDATES;
        if room && !generation.candidates.iter().any(|known| known == line) {
            generation.candidates.push(line.to_owned());
        }
        Some(place)
    }

    /// Gathering for the generation `ufrag` is complete.
    ///
    /// `None` if no local description has that generation any more.
    pub fn end_of_local_candidates(&mut self, ufrag: &str) -> Option<CandidatePlace> {
        let place = self.place_of(ufrag)?;
        let mut generations = self.current_ice.iter_mut().chain(self.pending_ice.iter_mut());
        generations.find(|generation| generation.ice.ufrag == ufrag)?.complete = true;
        Some(place)
    }

    fn place_of(&self, ufrag: &str) -> Option<CandidatePlace> {
        let locals = [&self.pending_local, &self.current_local].into_iter().flatten();
        let local = locals.into_iter().find(|local| local.has_ufrag(ufrag))?;
        let index = local.outline.carrier()?;
        Some(CandidatePlace {
            mid: local.outline.sections[index].mid.clone().unwrap_or_default(),
            // At most MAX_SECTIONS sections come in, and we add one.
            m_line_index: u16::try_from(index).unwrap_or(u16::MAX),
        })
    }

    /// `addIceCandidate()`.
    ///
    /// # Errors
    /// `TypeError` for a candidate without a section; `InvalidStateError` without a remote description;
    /// `OperationError` for a section or a username fragment that does not exist, and for text that is no candidate. One that is
    /// merely of no use is ignored, as in browsers.
    pub fn add_remote_candidate(&mut self, init: &CandidateInit) -> Result<RemoteCandidate, Error> {
        // Pion wrote empty strings for what it did not know, and webrtc-rs does.
        let username_fragment = init.username_fragment.as_deref().filter(|ufrag| !ufrag.is_empty());
        if !init.candidate.is_empty() && init.sdp_mid.is_none() && init.sdp_m_line_index.is_none() {
            return Err(Error::new(ErrorKind::Type, "a candidate needs an sdpMid or an sdpMLineIndex"));
        }
        if self.state == SignalingState::Closed {
            return Err(self.wrong_state("addIceCandidate"));
        }
        let Some(newest) = self.newest_remote() else {
            return Err(Error::new(
                ErrorKind::InvalidState,
                "addIceCandidate needs a remote description first",
            ));
        };
        let section = section_of(newest, init)?;
        let candidate = match parse(&init.candidate) {
            Err(CandidateError::Unusable(why)) => return Ok(RemoteCandidate::Ignored(why)),
            Err(CandidateError::Malformed(message)) => return Err(operation(message)),
            Ok(candidate) => candidate,
        };
        let Some(section) = section else { return self.end_all(username_fragment) };

        if let Some(ufrag) = username_fragment
            && !self.remotes().any(|remote| remote.ufrag_of(section) == Some(ufrag))
        {
            return Err(no_such_ufrag(ufrag));
        }
        // The generation: as given, as the candidate itself says (browsers write it there), or the newest.
        let given = username_fragment.map(str::to_owned).or_else(|| candidate.as_ref()?.ufrag.clone());
        let ufrag = given.or_else(|| newest.ufrag_of(section).map(str::to_owned));
        if !self.remotes().any(|remote| remote.ufrag_of(section) == ufrag.as_deref()) {
            return Ok(RemoteCandidate::Ignored("it belongs to an ICE generation that is gone"));
        }
        let text = init.candidate.trim_ascii();
        let text = text.strip_prefix("a=").unwrap_or(text);
        for remote in [&mut self.pending_remote, &mut self.current_remote].into_iter().flatten() {
            if remote.ufrag_of(section) == ufrag.as_deref() {
                remote.take_candidate(section, candidate.as_ref(), text)?;
            }
        }
        Ok(self.deliver(section, ufrag.as_deref(), candidate))
    }

    fn remotes(&self) -> impl Iterator<Item = &RemoteDescription> {
        [&self.pending_remote, &self.current_remote].into_iter().flatten().map(Box::as_ref)
    }

    /// End of candidates for all sections of the newest generation, or of the given one.
    fn end_all(&mut self, ufrag: Option<&str>) -> Result<RemoteCandidate, Error> {
        let has = |remote: &RemoteDescription, section: usize| {
            ufrag.is_none_or(|ufrag| remote.ufrag_of(section) == Some(ufrag))
        };
        let sections = |remote: &RemoteDescription| 0..remote.description.media.len();
        if let Some(ufrag) = ufrag
            && !self.remotes().any(|remote| sections(remote).any(|section| has(remote, section)))
        {
            return Err(no_such_ufrag(ufrag));
        }
        for remote in [&mut self.pending_remote, &mut self.current_remote].into_iter().flatten() {
            for section in sections(remote).filter(|section| has(remote, *section)).collect::<Vec<_>>() {
                remote.take_candidate(section, None, "")?;
            }
        }
        let transport = self.newest_remote().and_then(|remote| remote.transport.as_ref());
        let ufrag =
            ufrag.map(str::to_owned).or_else(|| transport.map(|transport| transport.ice.ufrag.clone()));
        let index = transport.map(|transport| transport.anchor);
        Ok(match index {
            Some(index) => self.deliver(index, ufrag.as_deref(), None),
            None => RemoteCandidate::Ignored("there is no section in use"),
        })
    }

    /// Decides whether the transport gets the candidate now.
    fn deliver(
        &mut self,
        section: usize,
        ufrag: Option<&str>,
        candidate: Option<Candidate>,
    ) -> RemoteCandidate {
        let feeds = self.remotes().any(|remote| remote.feeds_transport(section) && remote.has_ufrag(ufrag));
        if !feeds {
            return RemoteCandidate::Ignored("its section is not in use");
        }
        if candidate.as_ref().is_some_and(|candidate| candidate.component != 1) {
            return RemoteCandidate::Ignored("RTCP and data go with the first component");
        }
        let running =
            self.applied.as_mut().filter(|applied| Some(applied.remote_ice.ufrag.as_str()) == ufrag);
        match (running, candidate) {
            (None, _) => RemoteCandidate::Kept,
            (Some(applied), Some(candidate)) => match applied.delivered.insert(candidate.clone()) {
                true => RemoteCandidate::Add(candidate),
                false => RemoteCandidate::Ignored("it is known already"),
            },
            (Some(applied), None) => match std::mem::replace(&mut applied.end_delivered, true) {
                false => RemoteCandidate::EndOfCandidates,
                true => RemoteCandidate::Ignored("the end of candidates is known already"),
            },
        }
    }
}

impl RemoteDescription {
    fn has_ufrag(&self, ufrag: Option<&str>) -> bool {
        self.transport.as_ref().is_some_and(|transport| ufrag == Some(&transport.ice.ufrag))
    }

    /// Adds a candidate, or the end of candidates, to the text and to the parsed view.
    fn take_candidate(
        &mut self,
        section: usize,
        candidate: Option<&Candidate>,
        text: &str,
    ) -> Result<(), Error> {
        let feeds = self.feeds_transport(section);
        let Some(candidate) = candidate else {
            self.description.append(section, "end-of-candidates");
            if let Some(transport) = self.transport.as_mut().filter(|_| feeds) {
                transport.end_of_candidates = true;
            }
            return Ok(());
        };
        let count: usize = self.description.media.iter().map(|section| section.candidates.len()).sum();
        let Some(media) = self.description.media.get_mut(section) else { return Ok(()) };
        if media.candidates.contains(candidate) {
            return Ok(());
        }
        if count >= MAX_CANDIDATES {
            let message = format!("a description takes at most {MAX_CANDIDATES} candidates");
            return Err(Error::new(ErrorKind::Operation, message));
        }
        media.candidates.push(candidate.clone());
        self.description.append(section, text);
        if let Some(transport) = self.transport.as_mut().filter(|_| feeds) {
            transport.add_candidate(candidate);
        }
        Ok(())
    }
}

/// The section that a candidate names; `None` if it names none.
fn section_of(remote: &RemoteDescription, init: &CandidateInit) -> Result<Option<usize>, Error> {
    let sections = &remote.description.media;
    // An empty mid is none (RFC 9429, section 4.1.19), if there is an index.
    let mid = init.sdp_mid.as_ref().filter(|mid| !mid.is_empty() || init.sdp_m_line_index.is_none());
    match (mid, init.sdp_m_line_index) {
        (Some(mid), _) => match remote.description.index_of(mid) {
            Some(index) => Ok(Some(index)),
            None => {
                Err(operation(format!("no section of the remote description has the mid {:?}", excerpt(mid))))
            }
        },
        (None, Some(index)) if usize::from(index) < sections.len() => Ok(Some(usize::from(index))),
        (None, Some(index)) => {
            Err(operation(format!("sdpMLineIndex is {index}, but there are {} sections", sections.len())))
        }
        (None, None) => Ok(None),
    }
}

/// The candidate; `None` for the end of candidates.
fn parse(text: &str) -> Result<Option<Candidate>, CandidateError> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    // It becomes a line of the remote description.
    if text.contains(['\r', '\n']) {
        return Err(CandidateError::Malformed("a candidate is one line".to_owned()));
    }
    Candidate::parse(text).map(Some)
}

fn operation(message: String) -> Error {
    Error::new(ErrorKind::Operation, message)
}

fn no_such_ufrag(ufrag: &str) -> Error {
    operation(format!("no remote description has the username fragment {:?} there", excerpt(ufrag)))
}
