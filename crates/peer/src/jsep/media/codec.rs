//! When two payload types are the same codec (RFC 9429, section 5.3.1; RFC 3264, section 6.1).

use ossa_media::Codec;

use super::capabilities::CodecCapability;
use crate::sdp::RtpMap;

/// What has to be equal on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    /// In lower case.
    name: String,
    clock_rate: u32,
    channels: u8,
    /// Of the parameters those that make another codec of it.
    variant: String,
}

impl Identity {
    pub(super) fn new(name: &str, clock_rate: u32, channels: u8, parameters: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let variant = variant(&name, parameters);
        Self { name, clock_rate, channels, variant }
    }

    pub(super) fn of(map: &RtpMap, parameters: &str) -> Self {
        Self::new(&map.name, map.clock_rate, map.channels, parameters)
    }

    pub(super) fn is_rtx(&self) -> bool {
        self.name == "rtx"
    }

    /// What helps another codec along and is no use by itself.
    pub(super) fn is_helper(&self) -> bool {
        matches!(self.name.as_str(), "rtx" | "red" | "ulpfec" | "flexfec-03" | "telephone-event" | "cn")
    }
}

impl CodecCapability {
    pub(super) fn identity(&self) -> Identity {
        Identity::new(&self.name, self.clock_rate, self.channels, &self.parameters)
    }
}

/// The payload format that the media crate has for a name.
pub(super) fn codec(name: &str) -> Codec {
    match name.to_ascii_lowercase().as_str() {
        "opus" => Codec::Opus,
        "pcmu" => Codec::Pcmu,
        "pcma" => Codec::Pcma,
        "vp8" => Codec::Vp8,
        "vp9" => Codec::Vp9,
        "h264" => Codec::H264,
        "av1" => Codec::Av1,
        "telephone-event" => Codec::TelephoneEvent,
        "cn" => Codec::ComfortNoise,
        _ => Codec::Other,
    }
}

/// The value of one of the parameters of `a=fmtp`.
pub(super) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim_ascii().eq_ignore_ascii_case(name).then_some(value.trim_ascii())
    })
}

fn variant(name: &str, parameters: &str) -> String {
    let value =
        |name: &str, default: &str| parameter(parameters, name).unwrap_or(default).to_ascii_lowercase();
    match name {
        // RFC 9628, section 6.1
        "vp9" => value("profile-id", "0"),
        "av1" => value("profile", "0"),
        // RFC 6184, section 8.2.2: profile and mode are symmetric, the level is not part of the identity.
        "h264" => {
            let mode = value("packetization-mode", "0");
            let id = value("profile-level-id", DEFAULT_H264);
            match H264::parse(&id) {
                Some(h264) => format!("{:?} {mode}", h264.profile),
                None => format!("{id} {mode}"),
            }
        }
        _ => String::new(),
    }
}

/// What libwebrtc takes for granted: Constrained Baseline, level 3.1.
const DEFAULT_H264: &str = "42e01f";

/// `profile-level-id` (RFC 6184, section 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct H264 {
    profile: Profile,
    /// The first two bytes, as they were.
    head: u16,
    /// In tenths, and a little less than 11 for 1b.
    level: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
    Other(u16),
}

impl H264 {
    fn parse(id: &str) -> Option<Self> {
        let digits = id.len() == 6 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u32::from_str_radix(id, 16).ok().filter(|_| digits)?;
        let [_, idc, iop, level] = number.to_be_bytes();
        // RFC 6184, table 5: patterns of profile_idc and profile-iop.
        let profile = match (idc, iop) {
            (0x42, iop) if iop & 0x4f == 0x40 => Profile::ConstrainedBaseline,
            (0x4d, iop) if iop & 0x8f == 0x80 => Profile::ConstrainedBaseline,
            (0x58, iop) if iop & 0xcf == 0xc0 => Profile::ConstrainedBaseline,
            (0x42, iop) if iop & 0x4f == 0 => Profile::Baseline,
            (0x58, iop) if iop & 0xcf == 0x80 => Profile::Baseline,
            (0x4d, iop) if iop & 0xaf == 0 => Profile::Main,
            (0x64, 0) => Profile::High,
            (0x64, 0x0c) => Profile::ConstrainedHigh,
            _ => Profile::Other(u16::from_be_bytes([idc, iop])),
        };
        Some(Self { profile, head: u16::from_be_bytes([idc, iop]), level })
    }

    /// Level 1b is written as 11 with a flag, or as 9 (RFC 6184, section 8.1).
    fn rank(self) -> u16 {
        let is_1b = self.level == 9 || (self.level == 11 && self.head & 0x10 != 0);
        if is_1b { 105 } else { u16::from(self.level) * 10 }
    }
}

/// The parameters to answer an offered codec with: ours, and for H.264 a level that both can (RFC 6184, section 8.2.2).
pub(super) fn answered_parameters(capability: &CodecCapability, offered: &str) -> String {
    let ours = &capability.parameters;
    if !capability.name.eq_ignore_ascii_case("h264") {
        return ours.clone();
    }
    let id = |parameters| parameter(parameters, "profile-level-id").unwrap_or(DEFAULT_H264);
    let asymmetric = |parameters| parameter(parameters, "level-asymmetry-allowed") == Some("1");
    let (Some(our_id), Some(their_id)) = (H264::parse(id(ours)), H264::parse(id(offered))) else {
        return ours.clone();
    };
    // The profile stays as it was offered: some stacks compare text.
    let lower = if their_id.rank() < our_id.rank() { their_id } else { our_id };
    let level = if asymmetric(ours) && asymmetric(offered) { our_id } else { lower };
    let head = if level.level == 11 { (their_id.head & !0x10) | (level.head & 0x10) } else { their_id.head };
    let mode = parameter(offered, "packetization-mode").unwrap_or("0");
    let asymmetry = if asymmetric(ours) && asymmetric(offered) { "level-asymmetry-allowed=1;" } else { "" };
    format!("{asymmetry}packetization-mode={mode};profile-level-id={head:04x}{:02x}", level.level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(parameters: &str) -> Identity {
        Identity::new("H264", 90_000, 1, parameters)
    }

    #[test]
    fn profiles_of_h264_are_told_apart_however_they_are_written() {
        let same = [
            ["profile-level-id=42e01f", "profile-level-id=42C00B"],
            ["", "profile-level-id=42e034;packetization-mode=0"],
            ["profile-level-id=4d801f", "profile-level-id=42e01f"],
            ["profile-level-id=42001f", "profile-level-id=42801f"],
        ];
        for [a, b] in same {
            assert_eq!(identity(a), identity(b), "{a} {b}");
        }
        let different = [
            ["profile-level-id=42e01f", "profile-level-id=42001f"],
            ["profile-level-id=4d001f", "profile-level-id=64001f"],
            ["profile-level-id=640c1f", "profile-level-id=64001f"],
            ["packetization-mode=1", "packetization-mode=0"],
            ["profile-level-id=42e01f", "profile-level-id=nonsense"],
        ];
        for [a, b] in different {
            assert_ne!(identity(a), identity(b), "{a} {b}");
        }
    }

    #[test]
    fn an_answer_about_h264_has_a_level_that_both_can() {
        let ours = CodecCapability::video("H264", 108, "packetization-mode=1;profile-level-id=42e01f");
        let level = |ours: &CodecCapability, offered: &str| answered_parameters(ours, offered);
        for (offered, answered) in [
            ("packetization-mode=1;profile-level-id=42e034", "packetization-mode=1;profile-level-id=42e01f"),
            ("packetization-mode=1;profile-level-id=42c00d", "packetization-mode=1;profile-level-id=42c00d"),
            ("packetization-mode=1;profile-level-id=42f00b", "packetization-mode=1;profile-level-id=42f00b"),
            (
                "level-asymmetry-allowed=1;profile-level-id=42e034",
                "packetization-mode=0;profile-level-id=42e01f",
            ),
        ] {
            assert_eq!(level(&ours, offered), answered);
        }
        let both =
            CodecCapability { parameters: format!("level-asymmetry-allowed=1;{}", ours.parameters), ..ours };
        assert_eq!(
            level(&both, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e00d"),
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
        );
    }

    #[test]
    fn other_parameters_make_no_other_codec() {
        assert_eq!(
            Identity::new("OPUS", 48_000, 2, "stereo=1"),
            Identity::new("opus", 48_000, 2, "useinbandfec=1")
        );
        assert_ne!(Identity::new("opus", 48_000, 1, ""), Identity::new("opus", 48_000, 2, ""));
        assert_eq!(Identity::new("VP9", 90_000, 1, ""), Identity::new("VP9", 90_000, 1, "profile-id=0"));
        assert_ne!(
            Identity::new("VP9", 90_000, 1, "profile-id=2"),
            Identity::new("VP9", 90_000, 1, "profile-id=0")
        );
        assert_ne!(
            Identity::new("telephone-event", 8_000, 1, ""),
            Identity::new("telephone-event", 48_000, 1, "")
        );
    }
}
