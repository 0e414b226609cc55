//! Which receiver a packet belongs to (RFC 9143 9.2), and which stream a retransmission repeats (RFC 4588 5.3).

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::config::ReceiverConfig;
use crate::error::MediaError;
use crate::frame::RtpPacket;
use crate::rtp::ExtensionMap;
use crate::types::{Extension, ReceiverId};

/// What an SSRC is known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// A stream of a receiver, maybe of a simulcast layer.
    Stream { receiver: ReceiverId, rid: Option<Bytes> },
    /// The retransmissions of another stream.
    Repair { receiver: ReceiverId, of: u32 },
}

impl Role {
    fn receiver(&self) -> ReceiverId {
        match self {
            Self::Stream { receiver, .. } | Self::Repair { receiver, .. } => *receiver,
        }
    }
}

/// Why a packet belongs nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// No receiver takes it.
    Unknown,
    /// Its receiver is not active.
    Inactive,
    /// Its SSRC would be one more than are kept.
    Full,
}

/// All receivers, and the SSRCs that are known to be theirs.
#[derive(Debug, Default)]
pub(super) struct Demux {
    receivers: BTreeMap<ReceiverId, ReceiverConfig>,
    mids: HashMap<Bytes, ReceiverId>,
    /// Payload types that only one receiver has; `None` for those of several.
    payloads: HashMap<u8, Option<ReceiverId>>,
    roles: HashMap<u32, Role>,
    extensions: ExtensionMap,
}

impl Demux {
    /// Header extensions of all receivers: on one transport an identifier stands for one extension (RFC 9143 7.1.3).
    pub(super) fn extensions(&self) -> &ExtensionMap {
        &self.extensions
    }

    pub(super) fn receiver(&self, id: ReceiverId) -> Option<&ReceiverConfig> {
        self.receivers.get(&id)
    }

    pub(super) fn receivers(&self) -> impl Iterator<Item = (ReceiverId, &ReceiverConfig)> {
        self.receivers.iter().map(|(&id, config)| (id, config))
    }

    pub(super) fn role(&self, ssrc: u32) -> Option<&Role> {
        self.roles.get(&ssrc)
    }

    /// Adds a receiver or changes one. Fails, and changes nothing, if it contradicts itself or another one.
    pub(super) fn set(&mut self, id: ReceiverId, config: ReceiverConfig) -> Result<(), MediaError> {
        check(&config)?;
        for (other, known) in self.receivers.iter().filter(|&(&other, _)| other != id) {
            if config.mid.is_some() && config.mid == known.mid {
                let mid = config.mid.as_deref().unwrap_or_default();
                return Err(invalid(format!("receiver {} has the mid {mid:?} already", other.0)));
            }
            let clash = config.extensions.iter().find(|&&(extension, number)| {
                known.extensions.iter().any(|&(other, taken)| (extension == other) != (number == taken))
            });
            if let Some((extension, number)) = clash {
                return Err(invalid(format!(
                    "the header extension {number} ({}) stands for another one in receiver {}",
                    extension.uri(),
                    other.0
                )));
            }
        }
        self.receivers.insert(id, config);
        self.index();
        Ok(())
    }

    /// Removes a receiver and forgets its SSRCs.
    pub(super) fn remove(&mut self, id: ReceiverId) -> bool {
        let known = self.receivers.remove(&id).is_some();
        self.roles.retain(|_, role| role.receiver() != id);
        self.index();
        known
    }

    /// Forgets an SSRC.
    pub(super) fn forget(&mut self, ssrc: u32) {
        self.roles
            .retain(|&known, role| known != ssrc && !matches!(role, Role::Repair { of, .. } if *of == ssrc));
    }

    /// Makes the tables anew from the receivers; what packets have taught stays, except where a description says otherwise.
    fn index(&mut self) {
        self.mids.clear();
        self.payloads.clear();
        self.extensions = ExtensionMap::default();
        for (&id, config) in &self.receivers {
            self.extensions.add(&config.extensions);
            if let Some(mid) = &config.mid {
                self.mids.insert(Bytes::copy_from_slice(mid.as_bytes()), id);
            }
            for payload in &config.payloads {
                for number in std::iter::once(payload.number).chain(payload.rtx) {
                    self.payloads
                        .entry(number)
                        .and_modify(|only| *only = only.filter(|&only| only == id))
                        .or_insert(Some(id));
                }
            }
            for hint in &config.ssrcs {
                let stream = Role::Stream { receiver: id, rid: None };
                if self.roles.get(&hint.ssrc).is_none_or(|role| role.receiver() != id) {
                    self.roles.insert(hint.ssrc, stream);
                }
                if let Some(rtx) = hint.rtx {
                    self.roles.insert(rtx, Role::Repair { receiver: id, of: hint.ssrc });
                }
            }
        }
    }

    /// What the SSRC of a packet is. Learns it from the packet; keeps at most `max` SSRCs beside those of descriptions.
    pub(super) fn route(&mut self, packet: &RtpPacket, max: usize) -> Result<Role, NoRoute> {
        let values = &packet.extensions;
        let id = match &values.mid {
            // A section that is not known, or not any more: not even by SSRC (RFC 9143 9.2).
            Some(mid) => *self.mids.get(mid).ok_or(NoRoute::Unknown)?,
            None => match (self.roles.get(&packet.ssrc), self.payloads.get(&packet.payload)) {
                (Some(role), _) => role.receiver(),
                (None, Some(&Some(only))) => only,
                _ => return Err(NoRoute::Unknown),
            },
        };
        let config = self.receivers.get(&id).ok_or(NoRoute::Unknown)?;
        if !config.active {
            return Err(NoRoute::Inactive);
        }
        let role =
            match (format(config, packet.payload).ok_or(NoRoute::Unknown)?, self.roles.get(&packet.ssrc)) {
                (Format::Repair, Some(role @ Role::Repair { receiver, .. })) if *receiver == id => {
                    role.clone()
                }
                (Format::Repair, _) => {
                    let of = self.repaired(id, packet).filter(|&of| of != packet.ssrc);
                    Role::Repair { receiver: id, of: of.ok_or(NoRoute::Unknown)? }
                }
                (Format::Media, Some(role @ Role::Stream { receiver, rid }))
                    if *receiver == id && (values.rid.is_none() || *rid == values.rid) =>
                {
                    role.clone()
                }
                (Format::Media, _) => {
                    let known = |rid: &Bytes| config.rids.iter().any(|known| known.as_bytes() == rid);
                    let rid = match &values.rid {
                        Some(rid) if !config.rids.is_empty() && !known(rid) => return Err(NoRoute::Unknown),
                        // Not a slice: it would keep the whole packet alive.
                        rid => rid.as_ref().map(|rid| Bytes::copy_from_slice(rid)),
                    };
                    Role::Stream { receiver: id, rid }
                }
            };
        if self.roles.get(&packet.ssrc) != Some(&role) {
            if !self.roles.contains_key(&packet.ssrc) && self.roles.len() >= max {
                return Err(NoRoute::Full);
            }
            self.roles.insert(packet.ssrc, role.clone());
        }
        Ok(role)
    }

    /// The stream that a retransmission repeats: by the layer that it names, or the only one that has none yet.
    fn repaired(&self, id: ReceiverId, packet: &RtpPacket) -> Option<u32> {
        let wanted = packet.extensions.repaired_rid.as_ref().or(packet.extensions.rid.as_ref());
        let mut streams = self.roles.iter().filter_map(|(&ssrc, role)| match role {
            Role::Stream { receiver, rid } if *receiver == id => Some((ssrc, rid)),
            _ => None,
        });
        if let Some(wanted) = wanted {
            return streams.find(|(_, rid)| rid.as_ref() == Some(wanted)).map(|(ssrc, _)| ssrc);
        }
        let taken: Vec<u32> = self
            .roles
            .values()
            .filter_map(|role| match role {
                Role::Repair { of, .. } => Some(*of),
                Role::Stream { .. } => None,
            })
            .collect();
        let mut free = streams.filter(|(ssrc, _)| !taken.contains(ssrc));
        let only = free.next()?.0;
        free.next().is_none().then_some(only)
    }
}

/// What a payload type of a receiver carries.
enum Format {
    Media,
    Repair,
}

fn format(config: &ReceiverConfig, number: u8) -> Option<Format> {
    config.payloads.iter().find_map(|payload| match payload.rtx {
        _ if payload.number == number => Some(Format::Media),
        Some(rtx) if rtx == number => Some(Format::Repair),
        _ => None,
    })
}

fn invalid(text: String) -> MediaError {
    MediaError::Invalid(text)
}

fn check(config: &ReceiverConfig) -> Result<(), MediaError> {
    super::check::payloads(&config.payloads)?;
    super::check::extensions(&config.extensions)?;
    super::check::name("mid", config.mid.as_deref())?;
    config.rids.iter().try_for_each(|rid| super::check::name("rid", Some(rid)))?;
    if !config.rids.is_empty() && !config.extensions.iter().any(|&(known, _)| known == Extension::Rid) {
        return Err(invalid(
            "simulcast can't be told apart without the header extension rtp-stream-id".into(),
        ));
    }
    Ok(())
}
