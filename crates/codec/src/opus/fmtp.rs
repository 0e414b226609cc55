use super::{Application, CLOCK_RATE, EncoderConfig};
use crate::pcm::Format;

impl EncoderConfig {
    /// What the other side would like to get, from the parameters of its description (RFC 7587 6.1 and 7): `stereo`, `useinbandfec`,
    /// `usedtx`, `cbr`, `maxaveragebitrate` and `maxplaybackrate`. What is unknown, or no value of its parameter, is as if it were not there.
    pub fn from_fmtp(fmtp: &str) -> Self {
        let value = |name: &str| {
            let mut pairs = fmtp.split(';').filter_map(|pair| pair.split_once('='));
            let found = pairs.rfind(|(key, _)| key.trim().eq_ignore_ascii_case(name));
            found.and_then(|(_, value)| value.trim().parse::<u32>().ok())
        };
        let flag = |name| value(name) == Some(1);
        let channels = Application::channels(flag("stereo"));
        let format = Format::new(CLOCK_RATE, channels).expect("the rate of Opus is one of ours");
        Self {
            fec: flag("useinbandfec"),
            dtx: flag("usedtx"),
            constant: flag("cbr"),
            bitrate: value("maxaveragebitrate").filter(|bitrate| (6_000..=510_000).contains(bitrate)),
            max_playback_rate: value("maxplaybackrate")
                .filter(|rate| (8_000..=CLOCK_RATE).contains(rate))
                .unwrap_or(CLOCK_RATE),
            ..Self::new(format)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pcm::Channels;

    #[test]
    fn what_the_other_side_asks_for_is_what_it_gets() {
        let config = EncoderConfig::from_fmtp(
            "minptime=10; useinbandfec=1;stereo=1;maxaveragebitrate=64000;usedtx=1;cbr=1",
        );
        assert_eq!(config.format.channels(), Channels::Stereo);
        assert!(config.fec && config.dtx && config.constant);
        assert_eq!((config.bitrate, config.max_playback_rate), (Some(64_000), 48_000));
    }

    #[test]
    fn parameters_that_make_no_sense_are_as_if_they_were_not_there() {
        for fmtp in [
            "",
            ";;=;",
            "maxaveragebitrate=4294967296;stereo=yes",
            "maxaveragebitrate=1;maxplaybackrate=0;usedtx",
        ] {
            let config = EncoderConfig::from_fmtp(fmtp);
            assert_eq!((config.bitrate, config.max_playback_rate), (None, 48_000), "{fmtp}");
            assert!(!config.fec && !config.dtx && config.format.channels() == Channels::Mono, "{fmtp}");
        }
    }
}
