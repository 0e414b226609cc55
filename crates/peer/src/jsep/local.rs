//! Our own descriptions: created, set, and completed by candidates.

use super::media::{Numbers, TransceiverId};
use super::types::{IceParameters, SdpType, SessionDescription};
use crate::sdp::{DataAttributes, Outline};

/// Candidates that were gathered with one set of local credentials.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) ice: IceParameters,
    /// Candidate-attributes, without the `a=`.
    pub(super) candidates: Vec<String>,
    pub(super) complete: bool,
}

impl Generation {
    pub(super) fn new(ice: IceParameters) -> Self {
        Self { ice, candidates: Vec::new(), complete: false }
    }
}

/// The result of createOffer or createAnswer, until it is set.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) outline: Outline,
    /// As given to the application.
    pub(super) text: String,
    /// Credentials of the transport.
    pub(super) ice: Option<IceParameters>,
    /// createOffer was asked for an ICE restart.
    pub(super) restart: bool,
    /// Which transceiver has which section.
    pub(super) places: Vec<(usize, TransceiverId)>,
    /// Payload types and ids of extensions as they are used in it.
    pub(super) numbers: Numbers,
}

impl Draft {
    /// The text that comes back from the application, if it is still the draft.
    ///
    /// W3C 4.4.1.5 demands equality. Differences that change nothing in the negotiation are let pass, since browsers do and
    /// established libraries make them: line endings and white space, the order of the lines of a section, candidates
    /// (non-trickle signaling adds or removes them), `a=ice-options` (removed by the same libraries to stop the peer from
    /// trickling), the session's name and information, and bandwidth, which says nothing about data.
    pub(super) fn accept(&self, text: &str) -> Option<Outline> {
        let mut outline = self.outline.clone();
        if text.is_empty() || text == self.text {
            return Some(outline);
        }
        outline.trickle &= text.contains("a=ice-options:");
        (essence(text) == essence(&self.text)).then_some(outline)
    }

    /// Whether `outline` says the same, apart from its version and its candidates.
    pub(super) fn says(&self, outline: &Outline) -> bool {
        bare(self.outline.clone()) == bare(outline.clone())
    }
}

/// The lines that mean something, each section's in alphabetical order.
fn essence(text: &str) -> Vec<Vec<&str>> {
    let negligible = ["a=candidate:", "a=end-of-candidates", "a=ice-options:", "b=", "i=", "s="];
    let mut sections = vec![Vec::new()];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if !negligible.iter().any(|prefix| line.starts_with(prefix)) {
            sections.last_mut().expect("it begins with one").push(line);
        }
    }
    for lines in &mut sections {
        lines.sort_unstable();
    }
    sections
}

/// A description without its version and candidates.
fn bare(mut outline: Outline) -> Outline {
    outline.version = 0;
    if let Some(transport) = &mut outline.transport {
        transport.candidates.clear();
        transport.end_of_candidates = false;
    }
    outline
}

/// A local description that is in force or pending.
#[derive(Clone, Debug)]
pub(super) struct LocalDescription {
    pub(super) kind: SdpType,
    pub(super) outline: Outline,
}

impl LocalDescription {
    /// Index and content of the data section.
    pub(super) fn data(&self) -> Option<(usize, &DataAttributes)> {
        let with_index = self.outline.sections.iter().enumerate();
        with_index.filter_map(|(index, section)| Some((index, section.data()?))).next()
    }

    /// Whether its transport has these credentials.
    pub(super) fn has_ufrag(&self, ufrag: &str) -> bool {
        self.outline.transport.as_ref().is_some_and(|transport| transport.ufrag == ufrag)
    }

    /// The text, with the candidates that were gathered so far.
    pub(super) fn render<'a>(&self, generations: impl Iterator<Item = &'a Generation>) -> SessionDescription {
        let mut outline = self.outline.clone();
        fill_candidates(&mut outline, generations);
        SessionDescription { kind: self.kind, sdp: outline.text() }
    }
}

/// Puts in the candidates of the matching generation.
pub(super) fn fill_candidates<'a>(outline: &mut Outline, generations: impl Iterator<Item = &'a Generation>) {
    let Some(transport) = &mut outline.transport else { return };
    for generation in generations.filter(|generation| generation.ice.ufrag == transport.ufrag) {
        transport.candidates.clone_from(&generation.candidates);
        transport.end_of_candidates = generation.complete;
    }
}
